/*
 * bgnbd.c
 *		BG/NBD: a coin after every repeat purchase.
 *
 * While he is with us a customer buys at random, at a rate lambda of his own;
 * the rates differ between customers as a gamma distribution with shape r and
 * rate alpha. After each repeat purchase he tosses a coin of his own and leaves
 * with probability p; the p differ as a beta distribution with parameters a and
 * b. lambda and p are independent of each other.
 *
 * Since only a repeat purchase tosses the coin, whoever never came back is alive
 * with certainty. That is the model's known weakness; mbg/nbd mends it.
 *
 * The likelihood is at the top of beta_geometric_terms.c, predictions are in beta_geometric.c.
 *
 * Fader, Hardie & Lee (2005), "Counting your customers" the easy way: an
 * alternative to the Pareto/NBD model, Marketing Science 24(2).
 */
#include "families/beta_geometric.h"
#include "families/registry.h"

CLV_BG_FORWARDERS(0)

const ClvFamily clv_bgnbd = {
	.name = "bg/nbd",
	.process = CLV_TRANSACTION,
	.nparams = 4,
	.param_names = {"r", "alpha", "a", "b"},
	.is_scale = {false, true, false, false},
	.purchase_effect = {0, -1, 0, 0},
	.churn_effect = {0, 0, 1, 1},
	.start = clv_bg_start,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.p_alive = PAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.pairs = Pairs,
	.discounted = Discounted,
	.survival = Survival,
	.ln_common = LnCommon,
	.departed = Departed,
	.alive = clv_bg_term_alive,
};
