"""How much floating-point results may differ between processors, which sum in different orders."""

UNIT_ROUNDOFF = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
# In standard deviations; one result in ten thousand may differ by more.
DEVIATIONS = 4


def rounding(terms: int, layers: int = 1, precision: str = "float32") -> float:
    """The error of `layers` sums of `terms` products, each made of the one before, as a share of the largest result.

    The roundings of a sum are as good as independent, so their errors grow with the root of the number of its terms
    (Higham and Mary, SIAM Journal on Scientific Computing 41, 2019); those of the layers add up.
    """
    return DEVIATIONS * layers * terms**0.5 * UNIT_ROUNDOFF[precision]
