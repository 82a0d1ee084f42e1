"""Expected output in a document against what a command printed.

Runs of blanks count as one. `...` stands for anything, and on a line of its own
for any lines. Decimal numbers match within a tenth, as processors and thread
counts may differ; integers and words exactly. The expected lines may begin
anywhere, then follow each other.
"""

import re

DECIMAL = r"-?\d+\.\d+(?:e[-+]?\d+)?"


def words(line):
    return " ".join(line.split())


class Line:
    def __init__(self, text):
        self.text = words(text)
        self.numbers, pattern = [], ""
        for part in re.split(rf"(\.\.\.|{DECIMAL})", self.text):
            if part == "...":
                pattern += ".*?"
            elif re.fullmatch(DECIMAL, part):
                pattern += r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
                self.numbers.append(float(part))
            else:
                pattern += re.escape(part)
        self.pattern = re.compile(pattern)

    def matches(self, line):
        match = self.pattern.fullmatch(line)
        return bool(match) and all(
            abs(float(found) - number) <= 0.1 * abs(number) + 1e-9
            for found, number in zip(match.groups(), self.numbers)
        )


def find(expected, actual):
    """Whether `actual` has the lines of `expected`, beginning with its first."""
    if not expected:
        return True
    if expected[0].text == "...":
        return any(find(expected[1:], actual[i:]) for i in range(len(actual) + 1))
    return bool(actual) and expected[0].matches(actual[0]) and find(expected[1:], actual[1:])


def contains(expected, actual):
    expected = [Line(line) for line in expected.splitlines() if line.strip()]
    actual = [words(line) for line in actual.splitlines() if line.strip()]
    return any(find(expected, actual[i:]) for i in range(len(actual) + 1))
