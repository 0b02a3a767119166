/* exp_kernels.h: (1 + a * (linear + a * quadratic)) * exp(-a), for a vector.
 *
 * With n the whole number nearest to -a / log(2), exp(-a) is 2^n times the Taylor
 * sum of exp at the rest, which is at most log(2) / 2 in size. Adding MAGIC rounds
 * to a whole number and leaves it in the low bits, from where it moves into the
 * exponent. MOST keeps the result in the normal range, and
 * HIGH has so many zeros at its end that n * HIGH is exact.
 *
 * Included for an instruction set, a precision, SPLAT(x), and FUSED(a, b, c), a * b + c fused
 * or not. No include guard, on purpose.
 */
#if DECAY_FLOAT
#define MAGIC 0x1.8p23f
#define BIAS 127u
#define SHIFT 23
#define HIGH 0x1.62e4p-1f
#define LOW 0x1.7f7d1cp-20f
#else
#define MAGIC 0x1.8p52
#define BIAS 1023u
#define SHIFT 52
#define HIGH 0x1.62e42fefa38p-1
#define LOW 0x1.ef35793c7673p-45
#endif
#define LOG2E ((REAL)1.4426950408889634)
#define TERM(c) sum = FUSED(sum, rest, SPLAT((REAL)(c)))

/* a is at most MOST. */
CT_TARGET static inline VEC DECAY(VEC a, VEC linear, VEC quadratic)
{
    VEC shifted = FUSED(a, SPLAT(-LOG2E), SPLAT(MAGIC)), n = shifted - SPLAT(MAGIC);
    VEC rest = FUSED(n, SPLAT(-LOW), FUSED(n, SPLAT(-HIGH), -a));
#if DECAY_FLOAT
    VEC sum = SPLAT((REAL)(1.0 / 720));
#else
    VEC sum = SPLAT(1.0 / 6227020800);
    TERM(1.0 / 479001600);
    TERM(1.0 / 39916800);
    TERM(1.0 / 3628800);
    TERM(1.0 / 362880);
    TERM(1.0 / 40320);
    TERM(1.0 / 5040);
    TERM(1.0 / 720);
#endif
    TERM(1.0 / 120);
    TERM(1.0 / 24);
    TERM(1.0 / 6);
    TERM(0.5);
    TERM(1);
    TERM(1);
    VEC power = (VEC)(((MASK)shifted + BIAS) << SHIFT);
    VEC factor = FUSED(a, FUSED(a, quadratic, linear), SPLAT(1));
    return factor * (sum * power);
}

#undef MAGIC
#undef BIAS
#undef SHIFT
#undef HIGH
#undef LOW
#undef LOG2E
#undef TERM
