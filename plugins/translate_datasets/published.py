"""The data sets that ``translate data get`` knows: where they are, what is known of their files, whose they are.

The SHA-256 of the CycleGAN authors' archives are those that TensorFlow Datasets recorded (url_checksums/cycle_gan.txt) when the authors had
them on an earlier server, people.eecs.berkeley.edu/~taesung_park; the sizes still are those of today's. Those of the MNIST and
Fashion-MNIST files are in TensorFlow Datasets, too, and were compared with the files themselves, whose MD5 are those in torchvision.
"""

from __future__ import annotations

from translate import DataSet, Download

BERKELEY = "efrosgans.eecs.berkeley.edu"
RECORDED = "SHA-256 as TensorFlow Datasets recorded it from the authors' earlier server"
COMPARED = "SHA-256 of the published files, compared with the files themselves"

ZHU = (
    "Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, ICCV 2017, "
    "arXiv:1703.10593"
)
ISOLA = "Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017, arXiv:1611.07004"
CYCLEGAN_PAGE = "https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix/blob/master/docs/datasets.md"
NONE_STATED = "none is stated with the archive;"


def _cyclegan(
    name: str, title: str, domains: tuple[str, ...], licence: str, size: int, sha256: str, citation: str = ZHU
) -> DataSet:
    """One of the CycleGAN authors' archives, which hold trainA, trainB, testA and testB in a folder of their own name."""
    urls = tuple(f"{scheme}://{BERKELEY}/cyclegan/datasets/{name}.zip" for scheme in ("https", "http"))
    return DataSet(
        title,
        CYCLEGAN_PAGE,
        f"{NONE_STATED} {licence}",
        citation,
        domains,
        (Download(f"{name}.zip", urls, size, sha256),),
        inside=name,
        checksums=RECORDED,
    )


def _idx(
    title: str,
    homepage: str,
    licence: str,
    citation: str,
    domain: str,
    folder: str,
    mirrors: tuple[str, ...],
    files: dict[str, tuple[int, str]],
) -> DataSet:
    """Four packed idx files, kept as they are in the folder where torchvision has them too."""
    downloads = tuple(
        Download(name, tuple(mirror + name for mirror in mirrors), size, sha256) for name, (size, sha256) in files.items()
    )
    return DataSet(
        title, homepage, licence, citation, (domain,), downloads, archive=False, folder=f"{folder}/raw", checksums=COMPARED
    )


DATA_SETS: dict[str, DataSet] = {
    "horse2zebra": _cyclegan(
        "horse2zebra",
        "Photographs of horses and of zebras",
        ("horse", "zebra"),
        "the photographs are from ImageNet and belong to their makers",
        116_867_962,
        "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    ),
    "apple2orange": _cyclegan(
        "apple2orange",
        "Photographs of apples and of oranges",
        ("apple", "orange"),
        "the photographs are from ImageNet and belong to their makers",
        78_456_409,
        "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
    ),
    "summer2winter": _cyclegan(
        "summer2winter_yosemite",
        "Photographs of Yosemite in summer and in winter",
        ("summer", "winter"),
        "the photographs are from Flickr and belong to their makers",
        132_640_856,
        "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
    ),
    "monet2photo": _cyclegan(
        "monet2photo",
        "Paintings by Monet and photographs of landscapes",
        ("monet", "photo"),
        "the paintings are from WikiArt; the photographs are from Flickr and belong to their makers",
        305_231_073,
        "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
    ),
    "maps": _cyclegan(
        "maps",
        "Aerial photographs and maps of the same places",
        ("aerial", "map"),
        "the pictures are from Google Maps, which has terms of its own",
        1_476_754_427,
        "639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e",
        f"{ISOLA}; {ZHU}",
    ),
    "facades": _cyclegan(
        "facades",
        "Facades of houses, photographs and labels of their parts",
        ("photo", "label"),
        "the pictures are from the CMP Facade Database, which has terms of its own",
        35_135_868,
        "9a31ebf3a31b9b5cd195dd5bf62e9308e00cb94604d1019e3889ac84248695c0",
        "Tyleček, Šára: Spatial Pattern Templates for Recognition of Objects with Regular Structure, GCPR 2013",
    ),
    "edges2shoes": DataSet(
        "Edges and photographs of shoes, side by side",
        CYCLEGAN_PAGE,
        f"{NONE_STATED} the photographs are from UT Zappos50K, which has terms of its own",
        f"Yu, Grauman: Fine-Grained Visual Comparisons with Local Learning, CVPR 2014; {ISOLA}",
        ("edges", "shoes"),
        (
            # Only by https, which alone vouches for what comes.
            Download("edges2shoes.tar.gz", (f"https://{BERKELEY}/pix2pix/datasets/edges2shoes.tar.gz",)),
        ),
        inside="edges2shoes",
    ),
    "mnist": _idx(
        "Handwritten digits, 28 × 28, grey",
        "http://yann.lecun.com/exdb/mnist/",
        "usually given as CC BY-SA 3.0",
        "LeCun, Cortes, Burges: The MNIST database of handwritten digits, 1998",
        "mnist",
        "MNIST",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        {
            "train-images-idx3-ubyte.gz": (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            "train-labels-idx1-ubyte.gz": (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            "t10k-images-idx3-ubyte.gz": (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            "t10k-labels-idx1-ubyte.gz": (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        },
    ),
    "fashion-mnist": _idx(
        "Articles of clothing, 28 × 28, grey",
        "https://github.com/zalandoresearch/fashion-mnist",
        "MIT",
        "Xiao, Rasul, Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, 2017, arXiv:1708.07747",
        "fashion-mnist",
        "FashionMNIST",
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        {
            "train-images-idx3-ubyte.gz": (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            "train-labels-idx1-ubyte.gz": (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            "t10k-images-idx3-ubyte.gz": (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            "t10k-labels-idx1-ubyte.gz": (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        },
    ),
    "celeba": DataSet(
        "Faces of celebrities with 40 attributes each",
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        "non-commercial research only, by the agreement on its page; the pictures may not be passed on",
        "Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild, ICCV 2015, arXiv:1411.7766",
        ("list_attr_celeba.txt:Young=1", "list_attr_celeba.txt:Young=0"),
        terms=(
            "read the agreement on https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, download img_align_celeba.zip and "
            "list_attr_celeba.txt there, unpack the first, put both into one folder DIR, and say 'translate data get celeba --from DIR'."
        ),
    ),
    "utkface": DataSet(
        "Faces whose file names begin with the age",
        "https://susanqq.github.io/UTKFace/",
        "non-commercial research only, by the terms on its page; these are real people: the pictures may not be passed on",
        "Zhang, Song, Qi: Age Progression/Regression by Conditional Adversarial Autoencoder, CVPR 2017, arXiv:1702.08423",
        ("utkface:20-30", "utkface:50-"),
        inside="UTKFace",
        terms=(
            "read the terms on https://susanqq.github.io/UTKFace/, download the aligned and cropped faces there, UTKFace.tar.gz, and say "
            "'translate data get utkface --from UTKFace.tar.gz'."
        ),
    ),
}
