from translate import Game, hookimpl, upcast


class Pearson(Game):
    """D estimates Pearson's χ² divergence of reals from fakes, and is best at 2 (p / q - 1) (f-GAN: Nowozin et al., 2016)."""

    def discriminator(self, judge, real, fake, clock):
        on_real, on_fake = upcast(judge(real)), upcast(judge(fake))
        return {"real": -on_real.mean(), "fake": (on_fake + on_fake.square() / 4).mean()}

    def generator(self, judge, real, fake, clock):
        return {"fool": -upcast(judge(fake)).mean()}


@hookimpl
def register_adversarial_losses(register):
    register("pearson", Pearson)
