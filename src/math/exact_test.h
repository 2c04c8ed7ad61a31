/*
 * exact_test.h
 *		Fisher's exact test of a table of two by two.
 */
#ifndef CLV_EXACT_TEST_H
#define CLV_EXACT_TEST_H

/*
 * How likely chance makes the number of those with a mark among some, drawn from n of whom so many
 * are marked, differ from its expectation as much as found does: twice the smaller tail of the
 * hypergeometric distribution, at most 1 (Fisher 1935, The Design of Experiments).
 */
extern double clv_exact_test(double found, double some, double marked, double n);

#endif /* CLV_EXACT_TEST_H */
