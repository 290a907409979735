#!/usr/bin/env python3
"""What the figures say about their rounds."""

import json
import unittest

import figures


def rounds(*rates):
    return [{"per_second": rate, "server_cpu_us": 1e6 / rate} for rate in rates]


class RatioTest(unittest.TestCase):
    def test_compares_neighbouring_rounds_and_takes_the_median(self):
        figure = figures.ratio("x", rounds(50, 80, 30), rounds(100, 100, 100))

        self.assertEqual((figure.value, figure.details["spread"]), (0.5, [0.3, 0.8]))

    def test_gives_both_absolute_rates(self):
        figure = figures.ratio("x", rounds(50, 60, 70), rounds(100, 200, 300))

        self.assertEqual((figure.details["per_second"], figure.baseline), (60, 200))

    def test_refuses_rounds_without_a_neighbour(self):
        with self.assertRaisesRegex(ValueError, "2 rounds of the product and 1 of the baseline"):
            figures.ratio("x", rounds(1, 2), rounds(1))

    def test_writes_one_line_with_the_agreed_fields(self):
        line = figures.Figure("node_start_ms", 120.5, "ms", details={"spread": [100, 140]}).line()

        self.assertEqual(json.loads(line), {"name": "node_start_ms", "value": 120.5, "unit": "ms", "baseline": None,
                                            "spread": [100, 140]})


class PercentileTest(unittest.TestCase):
    def test_takes_the_nearest_rank_over_all_rounds_and_the_spread_of_each(self):
        figure = figures.percentile("x", [list(range(1, 101)), list(range(101, 201))], 99)

        self.assertEqual((figure.value, figure.details["spread"], figure.details["samples"]), (198, [99, 199], 200))

    def test_takes_the_worst_of_few(self):
        self.assertEqual(figures.percentile("x", [[3, 1, 2]], 99).value, 3)

    def test_refuses_a_round_without_samples(self):
        with self.assertRaisesRegex(ValueError, "a round without samples"):
            figures.percentile("x", [[1], []], 99)


if __name__ == "__main__":
    unittest.main()
