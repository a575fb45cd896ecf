"""What docs/explanation/theory.md says is so: each claim against a number that was found in another way."""

from __future__ import annotations

import math
import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from translate import Clock
from translate.average import Average
from translate_losses.games import Minimax, NonSaturating

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "theory.md"
LOG2, LOG4 = math.log(2), math.log(4)
START = Clock(step=0, total=1)


# Tools: three formulas that most sections need, each written plainly.


def kl(p, q):
    """Kullback-Leibler divergence of two discrete distributions, in nats; infinite where q misses something of p."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0).sum(axis=-1)


def jsd(p, q):
    """Jensen-Shannon divergence, in nats."""
    return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


def value(judge, data, fake):
    """V(D, G) on a finite set, with 0·log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        real = np.where(data > 0, data * np.log(judge), 0.0)
        return (real + np.where(fake > 0, fake * np.log1p(-judge), 0.0)).sum(axis=-1)


def best_judge(data, fake):
    """D* where there is something to judge, ½ elsewhere."""
    return np.divide(data, data + fake, out=np.full(np.broadcast(data, fake).shape, 0.5), where=data + fake > 0)


def distributions(seed, count, size):
    return np.random.default_rng(seed).dirichlet(np.ones(size), count)


# 1. Matrix games


def equilibrium(payoff):
    """Mixed strategies (row maximises, column minimises) such that neither side gains by deviating, and the value.

    Goes through the square parts of the matrix: one of them, made indifferent, holds an equilibrium (Shapley and Snow, 1950).
    """
    for size in range(1, min(payoff.shape) + 1):
        for rows in combinations(range(payoff.shape[0]), size):
            for columns in combinations(range(payoff.shape[1]), size):
                kernel, one = payoff[np.ix_(rows, columns)], np.ones((size, 1))
                right = np.append(np.zeros(size), 1)
                row, column = np.zeros(payoff.shape[0]), np.zeros(payoff.shape[1])
                try:
                    row[list(rows)] = np.linalg.solve(np.block([[kernel.T, -one], [one.T, 0]]), right)[:-1]
                    column[list(columns)] = np.linalg.solve(np.block([[kernel, -one], [one.T, 0]]), right)[:-1]
                except np.linalg.LinAlgError:
                    continue
                least, most = (row @ payoff).min(), (payoff @ column).max()
                if min(row.min(), column.min()) > -1e-12 and most - least < 1e-9:
                    return row, column, row @ payoff @ column
    raise AssertionError("von Neumann was wrong")


PENNIES = np.array([[1.0, -1], [-1, 1]])
ROCK_PAPER_SCISSORS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
# With stakes a, b, c on the three pairs, each move is played in proportion to the stake of the pair that it is not in.
STAKES = np.array([[0.0, -1, 2], [1, 0, -3], [-2, 3, 0]])
TWO_BY_TWO = np.array([[3.0, -1], [-2, 1]])
SADDLE = np.array([[4.0, 2, 3], [1, 0, 5]])


@pytest.mark.parametrize(
    ("payoff", "row", "column", "worth"),
    [
        (PENNIES, [1 / 2, 1 / 2], [1 / 2, 1 / 2], 0),
        (ROCK_PAPER_SCISSORS, [1 / 3] * 3, [1 / 3] * 3, 0),
        (STAKES, [3 / 6, 2 / 6, 1 / 6], [3 / 6, 2 / 6, 1 / 6], 0),
        # (d - c, a - b) / (a + d - b - c), (d - b, a - c) / (a + d - b - c), (ad - bc) / (a + d - b - c)
        (TWO_BY_TWO, [3 / 7, 4 / 7], [2 / 7, 5 / 7], 1 / 7),
        (SADDLE, [1, 0], [0, 1, 0], 2),
    ],
    ids=["matching pennies", "rock-paper-scissors", "unequal stakes", "two by two", "a pure saddle"],
)
def test_mixed_equilibria_known_by_hand(payoff, row, column, worth):
    found = equilibrium(payoff)
    assert found[0] == pytest.approx(row, abs=1e-12)
    assert found[1] == pytest.approx(column, abs=1e-12)
    assert found[2] == pytest.approx(worth, abs=1e-12)


def test_mixed_max_min_equals_min_max_where_the_pure_ones_differ():
    for payoff, gap in ((PENNIES, 2), (ROCK_PAPER_SCISSORS, 2), (TWO_BY_TWO, 2), (SADDLE, 0)):
        row, column, worth = equilibrium(payoff)
        assert (row @ payoff).min() == pytest.approx(worth, abs=1e-9)  # what the row player is sure of
        assert (payoff @ column).max() == pytest.approx(worth, abs=1e-9)  # what the column player is sure of
        assert payoff.max(axis=0).min() - payoff.min(axis=1).max() == gap


def hedge(payoff, steps):
    """Both sides play multiplicative weights; returns the averages of what they played. Payoffs are in [0, 1]."""
    rates = [math.sqrt(8 * math.log(n) / steps) for n in payoff.shape]
    gained, lost = np.zeros(payoff.shape[0]), np.zeros(payoff.shape[1])
    average = [np.zeros(n) for n in payoff.shape]
    for _ in range(steps):
        row = np.exp(rates[0] * (gained - gained.max()))
        column = np.exp(-rates[1] * (lost - lost.min()))
        row, column = row / row.sum(), column / column.sum()
        gained, lost = gained + payoff @ column, lost + row @ payoff
        average[0] += row / steps
        average[1] += column / steps
    return average


@pytest.mark.parametrize("seed", range(4))
def test_two_learners_close_in_on_the_value_at_the_rate_of_their_regrets(seed):
    payoff, steps = np.random.default_rng(seed).random((4, 5)), 3000
    row, column = hedge(payoff, steps)
    lower, upper = (row @ payoff).min(), (payoff @ column).max()
    assert lower <= equilibrium(payoff)[2] + 1e-12
    assert upper >= equilibrium(payoff)[2] - 1e-12
    assert upper - lower <= math.sqrt(math.log(4) / (2 * steps)) + math.sqrt(math.log(5) / (2 * steps))  # 0.032


def test_over_distributions_and_functions_the_orders_agree_and_over_points_they_do_not():
    data = np.array([0.5, 0.5])
    grid = np.linspace(0, 1, 101)  # it has ½
    with np.errstate(divide="ignore"):
        real, fake = np.log(grid), np.log1p(-grid)
    judges = data[0] * real[:, None] + data[1] * real[None, :]  # every table D = (D(0), D(1))
    worst = {share: judges + share * fake[:, None] + (1 - share) * fake[None, :] for share in (0.25, 0.5, 0.75)}
    worst[0.0], worst[1.0] = judges + fake[None, :], judges + fake[:, None]  # all the mass on one point
    for table in worst.values():
        table[np.isnan(table)] = -np.inf
    # For a fixed D the value is linear in p_g: its least is at a point, so these two cover all of them.
    max_min = np.minimum(worst[0.0], worst[1.0]).max()
    assert max_min == pytest.approx(-LOG4)
    assert min(table.max() for table in worst.values()) == pytest.approx(-LOG4)  # at the share ½: mixed strategies
    pure = min(worst[0.0].max(), worst[1.0].max())  # a generator that is a point
    assert pure - max_min == pytest.approx(1.5 * math.log(4 / 3), abs=1e-3)  # 0.4315; the grid misses D* = ⅓ by a little


def local_equilibria(table):
    """Places where no step to a neighbour helps: x, along axis 0, minimises; y, along axis 1, maximises. The grid is a torus."""
    least = (table <= np.roll(table, 1, 0)) & (table <= np.roll(table, -1, 0))
    most = (table >= np.roll(table, 1, 1)) & (table >= np.roll(table, -1, 1))
    return np.argwhere(least & most)


def test_a_smooth_game_can_have_no_equilibrium_not_even_a_local_one():
    angle = np.arange(64) * 2 * np.pi / 64
    table = np.sin(angle[:, None] + angle)
    assert len(local_equilibria(table)) == 0
    assert table.max(axis=1).min() == pytest.approx(1)  # min over x of max over y
    assert table.min(axis=0).max() == pytest.approx(-1)  # max over y of min over x
    assert local_equilibria(np.cos(angle) - np.cos(angle)[:, None]).tolist() == [[0, 0]]  # where there is one, it is found


def relu_network(hidden, out, noise):
    """G(z) = Σ out · relu(hidden · z): a network with one layer of two units."""
    return np.maximum(noise[:, None] * hidden, 0) @ out


def test_between_two_perfect_generators_lies_a_collapsed_one():
    noise = np.array([-2.0, -1, 1, 2])
    points = np.array([-2.0, -1, 0, 1, 2])
    data = np.array([1, 1, 0, 1, 1]) / 4

    def game(weights):
        """max over D of V at these weights."""
        fake = (relu_network(weights[0], weights[1], noise)[:, None] == points).mean(axis=0)
        assert fake.sum() == 1
        return value(best_judge(data, fake), data, fake)

    one, other = np.array([[1.0, -1], [1, -1]]), np.array([[-1.0, 1], [-1, 1]])  # the same units in the other order
    assert game(one) == game(other) == pytest.approx(-LOG4)
    assert game((one + other) / 2) == pytest.approx(0, abs=1e-12)  # the greatest value there is: no convexity in the weights


def test_between_two_good_judges_lies_one_that_tells_nothing():
    data, fake, points = np.array([0, 0, 0.5, 0.5]), np.array([0.5, 0.5, 0, 0]), np.array([-2.0, -1, 1, 2])

    def game(weights):
        return value(1 / (1 + np.exp(-relu_network(*weights, points))), data, fake)  # the same network, as a score

    one, other = np.array([[1.0, -1], [1, -1]]), np.array([[-1.0, 1], [-1, 1]])
    assert game(one) == game(other) > -0.5
    assert game((one + other) / 2) == pytest.approx(-LOG4)  # lower than both: no concavity in the weights


# 2. The best discriminator


def test_the_best_discriminator_is_the_share_of_the_data():
    chances = torch.from_numpy(np.random.default_rng(0).uniform(0.05, 2, (2, 200)))
    a, b = chances
    best = (a / (a + b)).requires_grad_()
    height = a * best.log() + b * (1 - best).log()
    (slope,) = torch.autograd.grad(height.sum(), best, create_graph=True)
    (curve,) = torch.autograd.grad(slope.sum(), best)
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-12, rtol=0)
    torch.testing.assert_close(curve, -a / best.square() - b / (1 - best).square())
    torch.testing.assert_close(curve, -((a + b) ** 3) / (a * b))  # the same at D*
    assert curve.max() < 0
    others = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)[:, None]
    heights = a * others.log() + b * (1 - others).log()
    assert (heights <= height + 1e-12).all()
    assert (others[heights.argmax(0), 0] - best).abs().max() <= 5.01e-4  # half a step of the grid: 1e-3


def normal(x, mean, deviation):
    return np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))


@pytest.fixture(scope="module")
def trained():
    """Points, p_data, p_g and the D that the library's game teaches a small network on samples of the two."""
    torch.manual_seed(0)
    judge = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    game, steps, batch = Minimax(), 250, 2048
    optimizer = torch.optim.Adam(judge.parameters())
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.03 * (1 - step / steps)
        left = torch.rand(batch, 1) < 0.5
        real = torch.where(left, -2 + 0.5 * torch.randn(batch, 1), 1 + torch.randn(batch, 1))
        fake = 1.5 * torch.randn(batch, 1)
        optimizer.zero_grad()
        sum(game.discriminator(judge, real, fake, START).values()).backward()
        optimizer.step()
    x = np.linspace(-6, 6, 1201)
    with torch.no_grad():
        answer = torch.sigmoid(judge(torch.from_numpy(x).float()[:, None]))[:, 0].double().numpy()
    return x, normal(x, -2, 0.5) / 2 + normal(x, 1, 1) / 2, normal(x, 0, 1.5), answer


def test_a_trained_discriminator_comes_near_the_best_one(trained):
    x, data, fake, answer = trained
    mixture = (data + fake) / 2 * (x[1] - x[0])
    best = data / (data + fake)
    error = mixture @ abs(answer - best)
    assert error < 0.02
    assert mixture @ abs(0.5 - best) > 8 * error  # a coin is no such judge


def test_a_trained_discriminator_measures_the_divergence_from_below(trained):
    x, data, fake, answer = trained
    step = x[1] - x[0]
    truth = -LOG4 + 2 * jsd(data * step, fake * step)
    reached = value(answer, data * step, fake * step)
    assert truth - 0.01 < reached <= truth


# 3. The value at the best discriminator


def test_the_value_at_the_best_discriminator_is_a_divergence():
    data, fake = distributions(1, 300, 7), distributions(2, 300, 7)
    values = value(best_judge(data, fake), data, fake)
    np.testing.assert_allclose(values, -LOG4 + 2 * jsd(data, fake), rtol=0, atol=1e-12)
    assert values.min() > -LOG4  # only p_g = p_data reaches it
    np.testing.assert_allclose(value(best_judge(data, data), data, data), -LOG4, rtol=0, atol=1e-12)
    other = np.random.default_rng(3).uniform(0.01, 0.99, data.shape)
    assert (value(other, data, fake) < values).all()


def test_the_library_s_game_has_that_value():
    data, fake = np.array([8, 4, 3, 1]), np.array([2, 2, 4, 8])  # out of 16: these samples are their distributions exactly
    real, made = (torch.from_numpy(np.repeat(np.arange(4), counts)) for counts in (data, fake))
    scores = torch.from_numpy(np.log(data / fake))  # the logit of D*
    losses = Minimax().discriminator(lambda samples: scores[samples], real, made, START)
    assert -sum(losses.values()).item() == pytest.approx(-LOG4 + 2 * jsd(data / 16, fake / 16), abs=1e-12)
    fool = Minimax().generator(lambda samples: scores[samples], real, made, START)["fool"]
    assert fool == -losses["fake"]  # what one side pays the other gains


# 4. Divergences


def test_kl_punishes_one_sin_without_end_and_jsd_both_alike():
    data = np.array([0.5, 0.5, 0])
    drops, spills = np.array([1.0, 0, 0]), np.array([0.25, 0.25, 0.5])  # misses a mode; makes what never occurs
    assert kl(data, drops) == np.inf
    assert kl(data, spills) == pytest.approx(LOG2)
    assert kl(drops, data) == pytest.approx(LOG2)
    assert kl(spills, data) == np.inf
    assert jsd(data, drops) == pytest.approx(0.75 * math.log(4 / 3))
    assert jsd(data, spills) == pytest.approx(0.75 * math.log(4 / 3))


def test_fitting_one_hill_to_two_covers_both_or_takes_one():
    """Least KL(p_data‖p_g) has the data's mean and variance; least KL(p_g‖p_data) and least JSD are one of the two hills."""
    x = np.linspace(-12, 12, 601)
    data = (normal(x, -3, 0.5) + normal(x, 3, 0.5)) / 2
    means, deviations = np.linspace(-4, 4, 41), np.linspace(0.3, 4, 38)
    hills = normal(x, means[:, None, None], deviations[:, None])
    data, hills = data / data.sum(), hills / hills.sum(axis=-1, keepdims=True) + 1e-300

    def best(costs):
        mean, deviation = np.unravel_index(costs.argmin(), costs.shape)
        return abs(means[mean]), deviations[deviation], costs.min()

    mean, deviation, _ = best(kl(data, hills))
    assert mean == pytest.approx(0, abs=1e-9)
    assert deviation == pytest.approx(math.sqrt(3**2 + 0.5**2), abs=0.05)  # 3.04
    mean, deviation, cost = best(kl(hills, data + 1e-300))
    assert mean == pytest.approx(3, abs=1e-9)
    assert deviation == pytest.approx(0.5, abs=1e-9)
    assert cost == pytest.approx(LOG2, abs=1e-3)
    mean, deviation, cost = best(jsd(data, hills))
    assert mean == pytest.approx(3, abs=1e-9)
    assert deviation == pytest.approx(0.5, abs=1e-9)
    assert cost == pytest.approx(0.75 * math.log(4 / 3), abs=1e-3)


def test_jsd_is_symmetric_and_at_most_log_2():
    p, q = distributions(4, 500, 6) ** 8, distributions(5, 500, 6) ** 8  # the power makes them nearly disjoint, some of them
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    np.testing.assert_allclose(jsd(p, q), jsd(q, p), rtol=0, atol=1e-15)
    assert abs(kl(p, q) - kl(q, p)).max() > 1
    assert kl(p, q).max() > 5
    assert 0.6 < jsd(p, q).max() < LOG2


def test_without_overlap_jsd_is_log_2_at_any_distance():
    """U[0, 1] against U[s, s+1]: s·log 2 up to s = 1, log 2 from there; the earth mover's distance is s throughout."""
    cells = np.arange(1000)
    data = ((cells >= 0) & (cells < 100)) / 100
    for shift, expected in ((0, 0), (25, LOG2 / 4), (70, 0.7 * LOG2), (100, LOG2), (101, LOG2), (300, LOG2), (900, LOG2)):
        fake = np.roll(data, shift)
        assert jsd(data, fake) == pytest.approx(expected, abs=1e-12)
        assert abs(np.cumsum(data - fake)).sum() / 100 == pytest.approx(shift / 100)


def pull(distance, game):
    """d(mean game)/d(position) for a hill N(distance, 1) against data N(0, 1), judged by D*: what reaches the generator."""
    noise = torch.linspace(-8, 8, 401, dtype=torch.float64)
    weight = torch.exp(-(noise**2) / 2) / torch.exp(-(noise**2) / 2).sum()
    position = torch.tensor(float(distance), dtype=torch.float64, requires_grad=True)
    fake = position + noise
    score = distance**2 / 2 - distance * fake  # log p_data/p_g; D* stands still while G moves
    (slope,) = torch.autograd.grad((weight * game(score)).sum(), position)
    return slope.item()


def by_score(game):
    """What a generator of the library's game pays for each score by itself."""
    return lambda scores: torch.stack([game.generator(lambda one: one, each, each, START)["fool"] for each in scores])


saturating, non_saturating = by_score(Minimax()), by_score(NonSaturating())  # log(1 - D) and -log D


def test_the_gradient_of_jsd_vanishes_with_distance():
    x = np.linspace(-20, 20, 8001)

    def divergence(distance):
        return 2 * jsd(normal(x, -distance / 2, 1) * 0.005, normal(x, distance / 2, 1) * 0.005)

    for distance in (1, 3):  # the envelope theorem: D* may stand still
        assert pull(distance, saturating) == pytest.approx(
            (divergence(distance + 1e-4) - divergence(distance - 1e-4)) / 2e-4, rel=1e-5
        )
    pulls = [pull(distance, saturating) for distance in (2, 5, 10, 20)]
    assert pulls[0] > 0.3
    for near, far in pairwise(pulls):
        assert 0 < far < near / 5
    assert pulls[-1] < 1e-15
    assert divergence(20) == pytest.approx(LOG4, abs=1e-12)  # although all is to be gained


# 5. Algorithm 1


def slope(data, fake):
    """dV(D*, p)/dp with D* held still, by autograd."""
    p = torch.tensor(fake, requires_grad=True)
    judge = torch.from_numpy(data / (data + fake))
    (gradient,) = torch.autograd.grad((torch.from_numpy(data) * judge.log() + p * (1 - judge).log()).sum(), p)
    return gradient.numpy()


def mirror(data, fake, rate):
    """One step of mirror descent: each chance times exp(-rate · slope), then to sum 1 again."""
    fake = fake * np.exp(-rate * slope(data, fake))
    return fake / fake.sum()


def test_what_the_generator_minimises_is_convex_in_its_distribution():
    data = distributions(6, 1, 5)[0]

    def game(fake):
        return value(best_judge(data, fake), data, fake)

    one, other = distributions(7, 400, 5), distributions(8, 400, 5)
    assert (game((one + other) / 2) < (game(one) + game(other)) / 2).all()
    p = torch.from_numpy(one[0])
    d = torch.from_numpy(data)
    hessian = torch.autograd.functional.hessian(lambda p: (d * (d / (d + p)).log() + p * (p / (d + p)).log()).sum(), p)
    torch.testing.assert_close(hessian, torch.diag(d / (p * (p + d))))
    assert torch.linalg.eigvalsh(hessian).min() > 0


def test_mirror_descent_with_step_1_halves_the_distance_to_the_data_each_time():
    data, first = distributions(9, 2, 6)
    fake = first
    for step in range(1, 31):
        fake = mirror(data, fake, 1.0)
        np.testing.assert_allclose(fake - data, (first - data) / 2**step, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rate", [0.1, 0.3, 1.0])
def test_algorithm_1_converges_at_its_rate(rate):
    data, first = distributions(10, 2, 6)
    fake, last = first, value(best_judge(data, first), data, first)
    for step in range(1, 301):
        fake = mirror(data, fake, rate)
        now = value(best_judge(data, fake), data, fake)
        assert now <= last + 1e-14
        assert now + LOG4 <= kl(data, first) / (rate * step)
        last = now
    assert abs(fake - data).max() < 1e-6


# 6. f(x, y) = x·y: x minimises, y maximises


SPIN = np.array([[0.0, 1], [-1, 0]])  # the field (df/dx, -df/dy) = SPIN @ (x, y): both sides walk against it
ETA = 0.1


def players(x=1.0, y=1.0, eta=ETA):
    """The two as parameters with an optimiser each, as in a recipe."""
    sides = [nn.Parameter(torch.tensor(each, dtype=torch.float64)) for each in (x, y)]
    return sides, [torch.optim.SGD([side], eta) for side in sides]


def move(side, optimizer, loss):
    """One update of one side, as the engine does it: the gradient reaches this side only."""
    optimizer.zero_grad()
    loss.backward(inputs=[side])
    optimizer.step()


def test_simultaneous_steps_spiral_out():
    (x, y), (for_x, for_y) = players()
    norm = math.sqrt(2)
    for _ in range(200):
        old_x, old_y = x.detach().clone(), y.detach().clone()
        move(x, for_x, x * old_y)
        move(y, for_y, -old_x * y)
        norm *= math.sqrt(1 + ETA**2)
        assert math.hypot(x.item(), y.item()) == pytest.approx(norm, rel=1e-12)
    assert norm > 3.8


def test_alternating_steps_stay_on_an_ellipse():
    (x, y), (for_x, for_y) = players()

    def form():
        return (x * x + y * y - ETA * x * y).item()

    first, norms = form(), []
    for _ in range(400):
        move(x, for_x, x * y.detach())
        move(y, for_y, -x.detach() * y)
        assert form() == pytest.approx(first, rel=1e-10)
        norms.append(x.item() ** 2 + y.item() ** 2)
    # The form lies between (1 ∓ η/2) times the squared norm: so do the orbit's ends.
    assert max(norms) == pytest.approx(first / (1 - ETA / 2), rel=1e-3)
    assert min(norms) == pytest.approx(first / (1 + ETA / 2), rel=1e-3)


def test_continuous_play_goes_round_in_a_circle():
    """Runge-Kutta's fourth order, for time 10, against the rotation that solves it."""
    z, step = np.array([1.0, 1.0]), 0.01
    for _ in range(1000):
        k1 = -SPIN @ z
        k2 = -SPIN @ (z + step / 2 * k1)
        k3 = -SPIN @ (z + step / 2 * k2)
        k4 = -SPIN @ (z + step * k3)
        z = z + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    assert z == pytest.approx([math.cos(10) - math.sin(10), math.sin(10) + math.cos(10)], abs=1e-8)
    assert z @ z == pytest.approx(2, abs=1e-8)


def test_extragradient_converges_at_its_rate():
    z = np.array([1.0, 1.0])
    for step in range(1, 501):
        ahead = z - ETA * SPIN @ z
        z = z - ETA * SPIN @ ahead
        assert z @ z == pytest.approx(2 * (1 - ETA**2 + ETA**4) ** step, rel=1e-9)
    assert np.linalg.norm(z) < 0.13


def test_optimism_converges_at_its_rate():
    z, last = np.array([1.0, 1.0]), np.array([1.0, 1.0])
    norms = []
    for _ in range(500):
        z, last = z - 2 * ETA * SPIN @ z + ETA * SPIN @ last, z
        norms.append(z @ z)
    assert norms[-1] / norms[-2] == pytest.approx((1 + math.sqrt(1 - 4 * ETA**2)) / 2, rel=1e-9)  # 0.990
    assert norms[-1] < 0.02


def test_consensus_converges_at_its_rate():
    z, gamma = np.array([1.0, 1.0]), 0.5
    for step in range(1, 201):
        z = z - ETA * (SPIN @ z + gamma * SPIN.T @ SPIN @ z)  # the gradient of ½‖field‖²
        assert z @ z == pytest.approx(2 * ((1 - ETA * gamma) ** 2 + ETA**2) ** step, rel=1e-9)
    assert np.linalg.norm(z) < 1e-3


def test_a_gradient_penalty_converges_at_its_rate_once_it_outweighs_the_step():
    def after(gamma, steps):
        """log of the norm's growth per step; y, the judge, also pays ½γy²."""
        matrix = np.array([[1, -ETA], [ETA, 1 - ETA * gamma]])
        z, norms = np.array([1.0, 1.0]), []
        for _ in range(steps):
            z = matrix @ z
            norms.append(math.log(np.linalg.norm(z)))
        return (norms[-1] - norms[steps // 10]) / (steps - 1 - steps // 10)

    for gamma in (0.02, 0.1, 0.5, 1.0):  # a pair of complex eigenvalues, of modulus √det
        assert after(gamma, 2000) == pytest.approx(math.log(1 - ETA * gamma + ETA**2) / 2, abs=1e-3)
    assert after(0.02, 2000) > 0 > after(0.5, 2000)


def dirac(game, eta, steps=600):
    """Data: the point 0; generator: the point x; judge: the score y·sample (Mescheder et al., 2018). Both step at once.

    Returns the distances from the equilibrium, (0, 0), and D at the fakes, before each step.
    """
    (x, y), optimizers = players(0.5, 0.5, eta)
    real, norms, judged = torch.zeros(1, 1, dtype=torch.float64), [], []
    for _ in range(steps):
        norms.append(math.hypot(x.item(), y.item()))
        judged.append(1 / (1 + math.exp(-(x * y).item())))
        told = sum(game.discriminator(lambda samples: y * samples, real, x.reshape(1, 1), START).values())
        fool = game.generator(lambda samples: y * samples, real, x.reshape(1, 1), START)["fool"]
        x.grad, y.grad = torch.autograd.grad(fool, x)[0], torch.autograd.grad(told, y)[0]
        for optimizer in optimizers:
            optimizer.step()
    return np.array(norms), np.array(judged)


def test_on_the_dirac_gan_the_minimax_game_spirals_out():
    norms, judged = dirac(Minimax(), 0.2, steps=200)
    np.testing.assert_allclose(norms[1:] / norms[:-1], np.sqrt(1 + 0.2**2 * judged[:-1] ** 2), rtol=1e-12)
    assert norms[-1] > 2 * norms[0]


def test_on_the_dirac_gan_the_non_saturating_game_goes_round_for_ever():
    """The steps push r² out by η²r²/4, the bend of -log D pulls it in by ηr⁴/8: they agree at r² = 2η."""
    norms, _ = dirac(NonSaturating(), 0.2)
    assert norms[400:] == pytest.approx([math.sqrt(2 * 0.2)] * 200, rel=0.1)


@pytest.mark.parametrize("game", [Minimax, NonSaturating])
def test_on_the_dirac_gan_the_library_s_r1_penalty_makes_both_converge(game):
    """Near 0 a score pulls half as hard as x·y does, so a step turns by η/2."""
    eta, gamma = 0.2, 0.5
    norms, _ = dirac(game(game.Options(r1=gamma)), eta, steps=400)
    assert (norms[399] / norms[100]) ** (1 / 299) == pytest.approx(math.sqrt(1 - eta * gamma + eta**2 / 4), abs=3e-3)
    assert norms[-1] < 1e-7


def test_the_mean_of_the_orbit_converges():
    """The steps telescope: η·Σy = x₀ - x_T and η·Σx = y_T - y₀."""
    x, y, eta = 1.0, 1.0, ETA
    sums, steps = np.zeros(2), 5000
    radius = math.sqrt((2 - eta) / (1 - eta / 2))  # of the ellipse
    for step in range(1, steps + 1):
        x_next = x - eta * y
        sums += x_next, y
        x, y = x_next, y + eta * x_next
        assert abs(sums / step).max() <= 2 * radius / (eta * step) + 1e-12
    assert np.linalg.norm(sums / steps) < 0.006
    assert math.hypot(x, y) > 1.3  # the play itself does not


def test_the_library_s_moving_average_shrinks_the_orbit_by_a_known_factor():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.sides, self.optimizers = players()
            self.x, self.y = self.sides

    pair = Pair()
    average, decay = Average(pair, 0.99), 0.99

    def form(network):
        return (network.x**2 + network.y**2 - ETA * network.x * network.y).item()

    for _ in range(1200):
        move(pair.x, pair.optimizers[0], pair.x * pair.y.detach())
        move(pair.y, pair.optimizers[1], -pair.x.detach() * pair.y)
        average.update(pair)
    cosine = 1 - ETA**2 / 2  # of the angle that a step turns the ellipse by
    factor = (1 - decay) / math.sqrt(1 - 2 * decay * cosine + decay**2)
    assert math.sqrt(form(average.network) / form(pair)) == pytest.approx(factor, rel=1e-3)
    assert factor == pytest.approx(0.1, abs=0.001)


# 7. Saturation


def test_the_gradient_of_log_1_minus_d_vanishes_where_d_is_sure():
    score = torch.linspace(-30, 30, 61, dtype=torch.float64, requires_grad=True)
    (saturated,) = torch.autograd.grad(saturating(score).sum(), score)
    (other,) = torch.autograd.grad(non_saturating(score).sum(), score)
    sigmoid = 1 / (1 + np.exp(-score.detach().numpy()))
    np.testing.assert_allclose(saturated, -sigmoid, rtol=1e-8)  # softplus is a line from 20 on
    np.testing.assert_allclose(other, -1 / (1 + np.exp(score.detach().numpy())), rtol=1e-8)
    assert abs(saturated[0]) < 1e-12
    assert other[0] == pytest.approx(-1)
    np.testing.assert_allclose(other / saturated, np.exp(-score.detach().numpy()), rtol=1e-8)  # one sign, other weights


def test_far_from_the_data_only_the_non_saturating_game_pulls():
    assert pull(10, saturating) < 1e-5
    assert pull(10, non_saturating) == pytest.approx(10, rel=1e-4)  # the slope of the score, undamped


def generator_gradients(logits, data):
    """Gradients of both games in the logits of p_g, with D* held still."""
    fake = torch.softmax(logits, 0)
    score = (data / fake).log().detach()
    return [
        torch.autograd.grad((fake * game(score)).sum(), logits, retain_graph=True)[0] for game in (saturating, non_saturating)
    ]


def test_both_games_rest_at_the_data_only():
    data = torch.from_numpy(distributions(11, 1, 5)[0])
    for gradient in generator_gradients(data.log().requires_grad_(), data):
        assert gradient.abs().max() < 1e-15
    for other in distributions(12, 20, 5):
        for gradient in generator_gradients(torch.from_numpy(other).log().requires_grad_(), data):
            assert gradient.abs().max() > 1e-3


def test_the_non_saturating_gradient_is_that_of_kl_minus_two_jsd():
    """Arjovsky and Bottou (2017), theorem 2.5; and the saturating one is that of 2·JSD."""
    data = torch.from_numpy(distributions(13, 1, 5)[0])
    logits = torch.from_numpy(np.random.default_rng(14).normal(size=5)).requires_grad_()
    fake = torch.softmax(logits, 0)
    middle = (data + fake) / 2
    reverse = (fake * (fake / data).log()).sum()
    twice = (data * (data / middle).log()).sum() + (fake * (fake / middle).log()).sum()
    saturated, other = generator_gradients(logits, data)
    torch.testing.assert_close(saturated, torch.autograd.grad(twice, logits, retain_graph=True)[0])
    torch.testing.assert_close(other, torch.autograd.grad(reverse - twice, logits)[0])


# 8. Mode collapse and the Inception Score


def test_against_a_fixed_discriminator_the_best_generator_is_a_point():
    data, judge = distributions(15, 1, 8)[0], np.random.default_rng(16).uniform(0.1, 0.9, 8)
    corner = np.eye(8)[judge.argmax()]
    assert (value(judge, data, distributions(17, 1000, 8)) > value(judge, data, corner)).all()
    logits = torch.zeros(8, dtype=torch.float64, requires_grad=True)  # a generator that trains while D stands still
    optimizer = torch.optim.Adam([logits], 0.1)
    for _ in range(500):
        optimizer.zero_grad()
        (torch.softmax(logits, 0) * torch.from_numpy(np.log1p(-judge))).sum().backward()
        optimizer.step()
    assert torch.softmax(logits, 0)[judge.argmax()] > 0.99


def test_at_the_value_of_max_min_a_collapsed_generator_is_as_good_as_any():
    data, half = np.full(4, 0.25), np.full(4, 0.5)
    for fake in (*np.eye(4), data, *distributions(18, 10, 4)):
        assert value(half, data, fake) == pytest.approx(-LOG4)
    collapsed = np.eye(4)[0]
    assert value(best_judge(data, collapsed), data, collapsed) > -LOG4 + 0.7  # min-max tells them apart


@pytest.mark.parametrize("remembers", [False, True])
def test_best_responses_hop_from_mode_to_mode_unless_the_judge_remembers(remembers):
    """The judge answers the last fake alone, or all fakes so far; the generator answers the judge with its best point."""
    data, steps = np.array([0.4, 0.3, 0.2, 0.1]), 2000
    counts, mode, hops = np.zeros(4), 0, 0
    for step in range(1, steps + 1):
        counts[mode] += 1
        judge = best_judge(data, counts / step if remembers else np.eye(4)[mode])
        hops, mode = hops + (judge.argmax() != mode), int(judge.argmax())
    if remembers:
        assert abs(counts / steps - data).max() <= 2 / steps
    else:
        assert hops == steps
        assert jsd(data, counts / steps) > 0.1
        assert all(jsd(data, point) > 0.2 for point in np.eye(4))  # and each single fake is far off


def inception_score(chances):
    """exp E KL(p(y|x)‖p(y)) of (pictures, classes)."""
    return math.exp(kl(chances, chances.mean(axis=0)).mean())


def entropy(p):
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=-1)


def test_the_inception_score_is_exp_of_the_mutual_information():
    chances = distributions(19, 200, 10)
    information = entropy(chances.mean(axis=0)) - entropy(chances).mean()  # H(y) - H(y|x)
    assert inception_score(chances) == pytest.approx(math.exp(information), rel=1e-12)


@pytest.mark.parametrize("pictures", [10, 1000, 5000])
def test_the_inception_score_is_bounded_by_the_number_of_classes_not_of_pictures(pictures):
    assert inception_score(np.eye(10)[np.arange(pictures) % 10]) == pytest.approx(10)
    assert inception_score(np.eye(10)[:5]) == pytest.approx(
        5
    )  # only where there are fewer pictures than classes do they bound it
    rng = np.random.default_rng(20)
    for sharpness in (0.01, 0.1, 1, 10):
        assert 1 <= inception_score(rng.dirichlet(np.full(10, sharpness), pictures)) < 10


def test_the_inception_score_is_greatest_at_even_classes_and_certain_pictures():
    bell = np.exp(-((np.arange(10) - 4.5) ** 2) / (2 * 1.5**2))
    counts = np.round(1000 * bell / bell.sum()).astype(int)
    certain_but_normal = inception_score(np.repeat(np.eye(10), counts, axis=0))
    assert certain_but_normal == pytest.approx(math.exp(entropy(counts / counts.sum())))
    assert 6.0 < certain_but_normal < 6.3
    even_but_unsure = 0.9 * np.eye(10) + 0.01
    assert inception_score(even_but_unsure) == pytest.approx(10 * math.exp(-entropy(even_but_unsure[0])))
    assert 6.0 < inception_score(even_but_unsure) < 6.3
    for classes in distributions(21, 200, 10):  # certain pictures score exp H(y), and H is greatest at the uniform p(y)
        assert math.exp(entropy(classes)) < 10


def test_collapse_between_classes_scores_1_and_collapse_within_them_is_not_seen():
    assert inception_score(np.tile(np.eye(10)[3], (1000, 1))) == 1  # one perfect picture, a thousand times
    assert inception_score(np.repeat(np.eye(10), 100, axis=0)) == pytest.approx(10)  # one perfect picture of each class


# 9. Latent space


def shell(dimensions):
    """Mean and standard deviation of ‖z‖ for z ~ N(0, I): those of the chi distribution."""
    mean = math.sqrt(2) * math.exp(math.lgamma((dimensions + 1) / 2) - math.lgamma(dimensions / 2))
    return mean, math.sqrt(dimensions - mean**2)


def slerp(one, other, t):
    """Along the great circle from one to the other (Shoemake, 1985)."""
    cosine = (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)
    angle = np.arccos(cosine)[..., None]
    return (np.sin((1 - t) * angle) * one + np.sin(t * angle) * other) / np.sin(angle)


@pytest.mark.parametrize("dimensions", [2, 100, 512])
def test_noise_lies_near_a_shell(dimensions):
    norms = np.linalg.norm(np.random.default_rng(22).standard_normal((8000, dimensions)), axis=1)
    mean, deviation = shell(dimensions)
    assert norms.mean() == pytest.approx(mean, abs=5 * deviation / math.sqrt(8000))
    assert norms.std() == pytest.approx(deviation, rel=0.04)
    if dimensions >= 100:
        assert mean == pytest.approx(math.sqrt(dimensions), abs=0.03)
        assert deviation == pytest.approx(math.sqrt(1 / 2), abs=0.002)  # at any dimension: the shell gets no thicker
    else:
        assert mean < 0.9 * math.sqrt(dimensions)  # in the plane there is no shell


def test_straight_walks_leave_the_shell_and_great_circles_stay():
    one, other = np.random.default_rng(23).standard_normal((2, 5000, 100))
    mean, deviation = shell(100)
    middle = np.linalg.norm((one + other) / 2, axis=1)
    assert middle.mean() == pytest.approx(math.sqrt(100 / 2), abs=0.03)  # 7.07, for √100 = 10
    assert (middle < mean - 3 * deviation).mean() > 0.9
    for t in (0.1, 0.25, 0.5, 0.75, 0.9):
        straight = np.linalg.norm((1 - t) * one + t * other, axis=1)
        assert straight.mean() == pytest.approx(math.sqrt(((1 - t) ** 2 + t**2) * 100), abs=0.05)
        round_ = np.linalg.norm(slerp(one, other, t), axis=1)
        assert abs(round_ - mean).max() < 5 * deviation
        assert abs(round_ - mean).mean() < deviation
    np.testing.assert_allclose(slerp(one, other, 0.0), one)
    np.testing.assert_allclose(slerp(one, other, 1.0), other)
    same = 10 * one / np.linalg.norm(one, axis=1, keepdims=True), 10 * other / np.linalg.norm(other, axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(slerp(*same, 0.3), axis=1), 10)


def test_where_straight_walks_lead_hardly_any_noise_lies():
    """P(‖z‖² < 50) for d = 100, by the Poisson sum for even d and by the share of draws."""
    inside = 1 - sum(math.exp(-25 + k * math.log(25) - math.lgamma(k + 1)) for k in range(50))
    assert inside == pytest.approx(7e-6, rel=0.1)
    draws = np.random.default_rng(24).standard_normal((20_000, 100))
    assert (np.square(draws).sum(axis=1) < 50).sum() <= 2


# The page itself


def test_the_code_on_the_page_runs():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names = {}
    for block in blocks:
        assert "assert" in block
        exec(block, names)
    assert len(blocks) >= 9


def test_the_page_names_every_test_and_no_other():
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert named == {name for name in globals() if name.startswith("test_")} - {
        "test_the_code_on_the_page_runs",
        "test_the_page_names_every_test_and_no_other",
    }
