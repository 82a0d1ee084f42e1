"""How long a run may take, and what is left of it."""
import time


class Budget:
    """Steps with weights share the time: what one does not use, the others have."""

    def __init__(self, minutes, steps, clock=time.monotonic):
        """`steps`: {name: weight}, in their order."""
        self.clock, self.start, self.end = clock, clock(), clock() + 60 * minutes
        self.left, self.done = dict(steps), 0.0

    def seconds(self):
        return max(0.0, self.end - self.clock())

    def share(self, name):
        """When step `name` should end, on the clock."""
        total = sum(self.left.values())
        return self.clock() + self.seconds() * (self.left.get(name, 0) / total if total else 0)

    def is_over(self):
        return self.seconds() == 0

    def finish(self, name):
        """What is left after step `name`, as text; empty after the last."""
        self.done += self.left.pop(name, 0)
        if not self.left:
            return ""
        expected = (self.clock() - self.start) * sum(self.left.values()) / max(self.done, 1e-9)
        return f"left: {', '.join(self.left)}; about {max(1, round(min(expected, self.seconds()) / 60))} minutes"
