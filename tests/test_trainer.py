"""One step of a game between groups of networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from translate import SGD, Batch, Clock, Make, NotFinite, OptimiserPlan, Recipe, RecipeError, RMSprop, Space, Update, UserError
from translate.plugins import installed
from translate.trainer import Trainer

CPU = torch.device("cpu")


class Tug(Recipe):
    """min over x, max over y of x·y + mean(x·data): the smallest game there is."""

    domains = 1
    exports = ("x",)

    @dataclass(frozen=True)
    class Options(Recipe.Options):
        broken: str = ""

    def build(self, make: Make) -> None:
        self.x, self.y = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        self.seen: list[float] = []
        with torch.no_grad():
            self.x.weight.fill_(1.0)
            self.y.weight.fill_(2.0)

    def optimisers(self) -> Mapping[str, OptimiserPlan]:
        return {"x": SGD(over=("x",), lr=0.1), "y": SGD(over=("y",), lr=0.1)}

    def step(self, batches: Sequence[Batch], clock: Clock) -> Iterator[Update]:
        data = batches[0].images[0]
        self.seen.append(torch.rand(()).item())
        broken = self.options.broken
        one = torch.ones_like(data[:1])
        product = self.x(self.y(one)).sum()
        if broken == "group":
            yield Update("z", {"loss": product})
        if broken == "shape":
            yield Update("x", {"loss": self.x(data)})
        if broken == "empty":
            yield Update("x", {})
        if broken == "mode":
            torch.set_grad_enabled(False)
        if broken == "uneven" and data.sum() > 0:
            return
        if broken == "disagree" and data.sum() > 0:
            yield Update("y", {"product": -product})
            return
        yield Update("x", {"product": product, "data": self.x(data).mean()})
        if broken == "nan" and clock.step == 3:
            yield Update("y", {"product": -self.x(self.y(one)).sum() * float("nan")})
            return
        yield Update("y", {"product": -self.x(self.y(one)).sum()})


def build(**values) -> Recipe:
    options = Tug.Options(**{key: values.pop(key) for key in ("broken",) if key in values})
    return Tug(options, Make(installed(), [Space("points", (1,))]))


def batch(*values: float, first: int = 0) -> Batch:
    return Batch((torch.tensor(values).reshape(-1, 1),), first, 0)


def trainer(recipe: Recipe, **values) -> Trainer:
    return Trainer(recipe, name="tug", device=CPU, **values)


def weights(recipe: Recipe) -> tuple[float, float]:
    return recipe.x.weight.item(), recipe.y.weight.item()


def test_updates_by_hand():
    recipe = build()
    losses = trainer(recipe).step([[batch(3.0, 5.0)]], Clock(0, 1))
    # d/dx (x·y + 4x) = y + 4 = 6, so x = 1 - 0.6; then d/dy (-x·y) = -0.4, so y = 2 + 0.04: y moved with the new x.
    assert weights(recipe) == pytest.approx((0.4, 2.04))
    assert {key: loss.item() for key, loss in losses.items()} == pytest.approx(
        {"x/product": 2.0, "x/data": 4.0, "y/product": -0.8}
    )


def test_gradients_reach_their_own_group_only():
    recipe = build()
    subject = trainer(recipe)
    touched: list[str] = []
    for name, parameter in recipe.named_parameters():
        parameter.register_post_accumulate_grad_hook(lambda _, name=name: touched.append(name))
    subject.step([[batch(1.0)]], Clock(0, 1))
    assert touched == ["x.weight", "y.weight"]
    assert all(parameter.grad is None for parameter in recipe.parameters())


def test_accumulated_batches_equal_one_big_batch():
    whole, parts = build().double(), build().double()
    values = [1.0, 2.0, 4.0, 9.0]
    big = trainer(whole).step([[Batch((torch.tensor(values, dtype=torch.float64).reshape(-1, 1),), 0, 0)]], Clock(0, 1))
    halves = [
        Batch((torch.tensor(half, dtype=torch.float64).reshape(-1, 1),), 2 * i, 0)
        for i, half in enumerate((values[:2], values[2:]))
    ]
    small = trainer(parts).step([[half] for half in halves], Clock(0, 1))
    assert weights(whole) == pytest.approx(weights(parts), rel=1e-14)
    assert {k: v.item() for k, v in big.items()} == pytest.approx({k: v.item() for k, v in small.items()}, rel=1e-14)


def test_accumulation_equals_one_big_batch_for_cyclegan(tiny):
    """CycleGAN without pools has no batch statistics, so the two agree to rounding."""
    whole, parts = tiny(batch=4, pool_size=0), tiny(batch=2, accumulate=2, pool_size=0)
    for engine in (whole, parts):
        engine.recipe.double()
    stream = [whole.loader.batches(0)]
    first = next(stream[0])
    images = tuple(image.double() for image in first.images)
    whole.trainer.step([[Batch(images, 0, 0)]], Clock(0, 4))
    parts.trainer.step([[Batch(tuple(i[:2] for i in images), 0, 0)], [Batch(tuple(i[2:] for i in images), 2, 0)]], Clock(0, 4))
    for mine, theirs in zip(whole.recipe.parameters(), parts.recipe.parameters(), strict=True):
        assert (mine - theirs).abs().max().item() < 1e-9


def test_every_step_draws_from_its_own_seed_and_leaves_the_callers_state():
    first, second = build(), build()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for step in range(3):
        trainer(first, seed=7).step([[batch(1.0)]], Clock(step, 3))
    assert torch.equal(torch.rand(3), expected)
    trainer(second, seed=7).step([[batch(1.0)]], Clock(2, 3))
    assert first.seen[2] == second.seen[0]
    assert len(set(first.seen)) == 3


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("group", "'z', which has no optimiser plan"),
        ("shape", "must be a scalar"),
        ("empty", "without a loss"),
        ("mode", "gradient or autocast mode"),
    ],
)
def test_a_recipe_that_breaks_the_contract_is_told_how(broken, sentence):
    try:
        with pytest.raises(RecipeError, match=sentence):
            trainer(build(broken=broken)).step([[batch(1.0)]], Clock(0, 1))
    finally:
        torch.set_grad_enabled(True)


@pytest.mark.parametrize("order", [(-1.0, 1.0), (1.0, -1.0)])
def test_accumulated_batches_must_yield_the_same_updates(order):
    with pytest.raises(RecipeError, match="fewer updates"):
        trainer(build(broken="uneven")).step([[batch(value)] for value in order], Clock(0, 1))
    with pytest.raises(RecipeError, match="disagree"):
        trainer(build(broken="disagree")).step([[batch(value)] for value in order], Clock(0, 1))


def test_a_group_that_is_updated_several_times_reports_the_mean():
    class Twice(Tug):
        def step(self, batches, clock):
            for weight in (1.0, 3.0):
                yield Update("x", {"loss": weight * self.x(torch.ones(1, 1)).sum()})

    recipe = Twice(Tug.Options(), Make(installed(), [Space("points", (1,))]))
    losses = Trainer(recipe, name="tug", device=CPU).step([[batch(1.0)]], Clock(0, 1))
    # x is 1, then 1 - 0.1: the mean of 1 and 3 * 0.9.
    assert losses["x/loss"].item() == pytest.approx((1 + 2.7) / 2)


def test_accumulated_batches_must_name_the_same_losses():
    class Uneven(Tug):
        def step(self, batches, clock):
            yield Update("x", {str(batches[0].images[0].sum().item()): self.x(torch.ones(1, 1)).sum()})

    recipe = Uneven(Tug.Options(), Make(installed(), [Space("points", (1,))]))
    with pytest.raises(RecipeError, match="disagree on the losses of 'x'"):
        Trainer(recipe, name="tug", device=CPU).step([[batch(1.0)], [batch(2.0)]], Clock(0, 1))


def test_a_loss_that_comes_and_goes_is_watched():
    class Lazy(Tug):
        def step(self, batches, clock):
            losses = {"product": self.x(torch.ones(1, 1)).sum()}
            if clock.step % 2:
                losses["penalty"] = 0 * losses["product"] + (float("nan") if clock.step == 3 else 0.0)
            yield Update("x", losses)

    recipe = Lazy(Tug.Options(), Make(installed(), [Space("points", (1,))]))
    trainer = Trainer(recipe, name="tug", device=CPU)
    for step in range(5):
        if step == 3:
            trainer.check_finite()
        trainer.step([[batch(1.0)]], Clock(step, 5))
    with pytest.raises(NotFinite, match=r"'x/penalty' became infinite or NaN at step 4"):
        trainer.check_finite()


@pytest.mark.parametrize(
    ("pattern", "frozen"),
    [
        ("G.down", lambda name: name.startswith("G.down.")),
        ("D_X.*.bias", lambda name: name.startswith("D_X.") and name.endswith(".bias")),
        ("F", lambda name: name.startswith("F.")),
        ("D_Y.body.0.weight", lambda name: name == "D_Y.body.0.weight"),
    ],
)
def test_frozen_parameters_stay_as_they_are_and_the_others_are_trained(tiny, pattern, frozen):
    engine = tiny(freeze=pattern)
    before = {name: each.clone() for name, each in engine.recipe.named_parameters()}
    engine.fit(steps=2)
    for name, each in engine.recipe.named_parameters():
        assert torch.equal(each, before[name]) == frozen(name), name


@pytest.mark.parametrize(
    ("patterns", "sentence"),
    [
        ("G.dwon", "--freeze G.dwon fits no parameter. Did you mean 'G.down'?"),
        (("D_X", "D_Y"), "Nothing is left to train in 'discriminators'"),
    ],
)
def test_what_cannot_be_frozen_gets_a_sentence(tiny, patterns, sentence):
    with pytest.raises(UserError) as error:
        tiny(freeze=patterns)
    assert sentence in str(error.value)


def test_a_loss_that_is_not_finite_is_named_with_its_step():
    subject = trainer(build(broken="nan"))
    for step in range(3):
        subject.step([[batch(1.0)]], Clock(step, 9))
    subject.check_finite()
    for step in (3, 4):
        subject.step([[batch(1.0)]], Clock(step, 9))
    with pytest.raises(NotFinite, match=r"'y/product' became infinite or NaN at step 4"):
        subject.check_finite()


def test_averages_follow_the_exported_networks_after_their_own_updates():
    recipe = build()
    subject = trainer(recipe, ema=0.9)
    subject.step([[batch(3.0, 5.0)]], Clock(0, 1))
    # x went from 1 to 0.4 once; y's update must not average x again.
    assert subject.averages["x"].network.weight.item() == pytest.approx(0.9 * 1 + 0.1 * 0.4)
    assert set(subject.averages) == {"x"}
    assert subject.exported()["x.weight"].item() == pytest.approx(0.94)
    assert recipe.x.weight.item() == pytest.approx(0.4)
    with subject.averaged():
        assert recipe.x.weight.item() == pytest.approx(0.94)
    assert recipe.x.weight.item() == pytest.approx(0.4)


def test_state_goes_there_and_back():
    class Momentum(Tug):
        def optimisers(self):
            return {"x": RMSprop(over=("x",), lr=0.1), "y": SGD(over=("y",), lr=0.1, momentum=0.5)}

    def fresh() -> Trainer:
        return trainer(Momentum(Tug.Options(), Make(installed(), [Space("points", (1,))])), ema=0.5)

    one, other = fresh(), fresh()
    for step in range(2):
        one.step([[batch(1.0)]], Clock(step, 4))
    other.load_state({key: tensor.clone() for key, tensor in one.state().items()})
    for subject in (one, other):
        subject.step([[batch(1.0)]], Clock(2, 4))
    mine, theirs = one.state(), other.state()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)


def test_groups_must_fit_the_networks():
    class Missing(Tug):
        def optimisers(self):
            return {"x": SGD(over=("w",), lr=0.1)}

    class Twice(Tug):
        def optimisers(self):
            return {"a": SGD(over=("x",), lr=0.1), "b": SGD(over=("x", "y"), lr=0.1)}

    make = Make(installed(), [Space("points", (1,))])
    with pytest.raises(RecipeError, match="'w', which is not one of its networks"):
        trainer(Missing(Tug.Options(), make))
    with pytest.raises(RecipeError, match="'x' is in two groups, 'a' and 'b'"):
        trainer(Twice(Tug.Options(), make))


def test_bf16_autocasts_the_networks_and_keeps_losses_in_fp32(tiny):
    engine = tiny(precision="bf16")
    dtypes: list[torch.dtype] = []
    engine.recipe.G.down[1].register_forward_hook(lambda module, inputs, output: dtypes.append(output.dtype))
    losses = engine.trainer.step([[next(engine.loader.batches(0))]], Clock(0, 4))
    assert set(dtypes) == {torch.bfloat16}
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert all(parameter.dtype == torch.float32 for parameter in engine.recipe.parameters())


def test_bf16_learns_what_fp32_learns(tiny):
    """One step of each from the same weights: losses agree to the precision of bf16."""
    results: list[dict[str, Tensor]] = []
    for precision in ("fp32", "bf16"):
        engine = tiny(precision=precision)
        results.append({k: v.item() for k, v in engine.trainer.step([[next(engine.loader.batches(0))]], Clock(0, 4)).items()})
    assert results[0] == pytest.approx(results[1], rel=0.05)


def test_the_norm_of_each_groups_gradient_is_watched_where_asked():
    recipe = build()
    mine = trainer(recipe)
    mine.step([[batch(1.0, 3.0)]], Clock(0, 2))
    assert mine.signals == {}
    x, y = weights(recipe)
    mine.step([[batch(1.0, 3.0)]], Clock(1, 2), watch=True)
    # d/dx (x·y + 2x) = y + 2, and then d/dy (-x·y) = -x at the x that was just updated.
    assert mine.signals["gradient/x"].item() == pytest.approx(y + 2)
    assert mine.signals["gradient/y"].item() == pytest.approx(weights(recipe)[0])
    assert weights(recipe)[0] == pytest.approx(x - 0.1 * (y + 2))
