/*
 * exact_test.h
 *		Fisher's exact test of a table of two by two.
 */
#ifndef CLV_EXACT_TEST_H
#define CLV_EXACT_TEST_H

/*
 * The p-value of found, the number of marked ones among some that are drawn from n, of which marked
 * are marked: twice the smaller tail of the hypergeometric distribution, at most 1 (Fisher 1935, The
 * Design of Experiments).
 */
extern double clv_exact_test(double found, double some, double marked, double n);

#endif /* CLV_EXACT_TEST_H */
