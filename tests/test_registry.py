from __future__ import annotations

import pytest

from translate.errors import RecipeError, UnknownName, UserError
from translate.registry import Registry


@pytest.fixture
def networks():
    registry = Registry("generator")
    registry.add("unet", 1, "drawers")
    registry.add("resnet", 2, "drawers")
    registry.add("linear", 3, "lines")
    return registry


def test_it_is_a_mapping_in_the_order_of_names(networks):
    assert networks["resnet"] == 2
    assert list(networks) == ["linear", "resnet", "unet"]
    assert dict(networks) == {"linear": 3, "resnet": 2, "unet": 1}
    assert len(networks) == 3
    assert "unet" in networks
    assert "vit" not in networks
    assert 5 not in networks
    assert networks.owner("linear") == "lines"


def test_an_unknown_name_gets_the_near_one(networks):
    with pytest.raises(UnknownName) as caught:
        networks["resnt"]
    assert str(caught.value) == (
        "There is no generator named 'resnt'. Did you mean 'resnet'? Registered: linear, resnet and unet."
    )
    assert isinstance(caught.value, UserError)
    with pytest.raises(UnknownName) as caught:
        networks["zzzzzz"]
    assert str(caught.value) == "There is no generator named 'zzzzzz'. Registered: linear, resnet and unet."


def test_an_empty_registry_says_so():
    with pytest.raises(UnknownName, match=r"^There is no cycle loss named 'l1'\. Registered: none\.$"):
        Registry("cycle loss")["l1"]


def test_the_hint_ends_the_sentence_and_is_asked_when_it_is_needed():
    notes = []
    registry = Registry("generator", lambda: "".join(notes))
    notes.append(" Note that a plugin is broken.")
    with pytest.raises(UnknownName, match=r"Registered: none\. Note that a plugin is broken\.$"):
        registry["unet"]


def test_get_gives_the_default_as_with_every_mapping(networks):
    assert networks.get("unet") == 1
    assert networks.get("vit") is None
    assert networks.get("vit", 7) == 7


def test_a_name_is_given_once(networks):
    with pytest.raises(RecipeError) as caught:
        networks.add("unet", 9, "others")
    assert str(caught.value) == (
        "Plugin 'others' registers the generator 'unet', which plugin 'drawers' has registered already; "
        "one of the two must choose another name."
    )
    assert networks["unet"] == 1
    assert networks.owner("unet") == "drawers"


def test_remove_forgets_one_plugin(networks):
    networks.remove("drawers")
    assert dict(networks) == {"linear": 3}
    networks.remove("nobody")
    networks.add("unet", 4, "others")
    assert networks.owner("unet") == "others"
