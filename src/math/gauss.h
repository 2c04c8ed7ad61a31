/*
 * gauss.h
 *		Gauss-Legendre rules: the integral of a smooth function over a short panel.
 *
 * With n nodes polynomials up to degree 2n - 1 are integrated exactly. How short a
 * panel must be for n nodes to give every digit, the caller knows, who knows what
 * the function is like.
 */
#ifndef CLV_GAUSS_H
#define CLV_GAUSS_H

#define CLV_GAUSS_MOST 16

/* On [-1, 1]; the nodes at -at have the same weight. */
typedef struct ClvGaussNode
{
	double at;
	double weight;
} ClvGaussNode;

typedef struct ClvGauss
{
	int pairs;
	const ClvGaussNode *node;
} ClvGauss;

extern const ClvGauss clv_gauss_4;
extern const ClvGauss clv_gauss_8;
extern const ClvGauss clv_gauss_16;

/* The 2 * pairs nodes of a rule on [from, to], with the weights that belong to them. */
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
