/*
 * gauss.h
 *		Gauss-Legendre rules: the integral of a smooth function over a short panel.
 *
 * With n nodes polynomials up to degree 2n - 1 are integrated exactly. The caller decides how
 * short a panel must be for n nodes to give every digit, by the singularities of the function.
 */
#ifndef CLV_GAUSS_H
#define CLV_GAUSS_H

#define CLV_GAUSS_MOST 16

/* A node on [-1, 1] and its weight; the node at -at has the same weight. */
typedef struct ClvGaussNode
{
	double at;
	double weight;
} ClvGaussNode;

/* A rule: its positive nodes, as many as there are pairs. */
typedef struct ClvGauss
{
	int pairs;
	const ClvGaussNode *node;
} ClvGauss;

extern const ClvGauss clv_gauss_4;
extern const ClvGauss clv_gauss_8;
extern const ClvGauss clv_gauss_12;
extern const ClvGauss clv_gauss_16;

/*
 * Sets nodes to the 2 * pairs nodes of a rule on [from, to], with their weights; returns their
 * number.
 */
static inline int
clv_gauss_nodes(const ClvGauss *rule, double from, double to, ClvGaussNode *nodes)
{
	double half = (to - from) / 2;
	double middle = from + half;

	for (int i = 0; i < rule->pairs; i++)
	{
		double away = half * rule->node[i].at;
		double weight = half * rule->node[i].weight;

		nodes[2 * i] = (ClvGaussNode){middle - away, weight};
		nodes[2 * i + 1] = (ClvGaussNode){middle + away, weight};
	}
	return 2 * rule->pairs;
}

#endif /* CLV_GAUSS_H */
