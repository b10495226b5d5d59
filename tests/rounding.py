"""How far results in floating point may lie apart on different processors, which sum in different orders."""

UNIT_ROUNDOFF = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
# So many standard deviations: a result in ten thousand may lie farther off.
DEVIATIONS = 4


def rounding(terms: int, layers: int = 1, precision: str = "float32") -> float:
    """The error of `layers` sums, one made of the other, of so many products each, as a share of the largest result.

    The roundings of a sum are as good as independent, so their errors grow with the root of the number of its terms
    (Higham and Mary, SIAM Journal on Scientific Computing 41, 2019); those of the layers add up.
    """
    return DEVIATIONS * layers * terms**0.5 * UNIT_ROUNDOFF[precision]
