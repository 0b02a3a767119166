/* exp_kernels.h: (1 + a * (linear + a * quadratic)) * exp(-a), for a vector a.
 *
 * Let n be the integer nearest to -a / log(2). Then exp(-a) = 2^n * exp(rest), where the rest
 * -a - n * log(2) is at most log(2) / 2 in absolute value; a Taylor polynomial gives exp(rest).
 * Adding MAGIC rounds -a / log(2) to n and leaves n in the low bits of the sum; a shift moves n
 * into the exponent of 2^n. HIGH + LOW is log(2); HIGH ends in enough zero bits to make n * HIGH
 * exact. Since a is at most 708 in double and 87 in float, 2^n is in the normal range.
 *
 * correlation_kernels.h and filter_kernels.h include this file with EXP_COVARIANCE(...), the name
 * of the function, EXP_FLOAT (1 in float, 0 in double), SPLAT(x) and FUSED(a, b, c) defined, the
 * latter a * b + c with one or two roundings. About 20 operations per vector in double, 13 in
 * float. No include guard, on purpose.
 */
/* MAGIC is 1.5 times the power of 2 from which on values are integers; SHIFT is the number of
 * fraction bits of the format, BIAS the exponent of 1. */
#if EXP_FLOAT
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

/* Needs 0 <= a <= 708, or 87 in float. exp(-a) in double is within 2 units in the last place. */
CT_TARGET static inline VEC EXP_COVARIANCE(VEC a, VEC linear, VEC quadratic)
{
    VEC shifted = FUSED(a, SPLAT(-LOG2E), SPLAT(MAGIC)), n = shifted - SPLAT(MAGIC);
    VEC rest = FUSED(n, SPLAT(-LOW), FUSED(n, SPLAT(-HIGH), -a));
    /* The Taylor polynomial by Horner's rule: degree 13 in double, 6 in float. */
#if EXP_FLOAT
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
    /* 2^n: the low bits of `shifted` are n, and the shift drops all other bits. */
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
