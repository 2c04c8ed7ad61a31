/*
 * bgnbd.c
 *		BG/NBD: customers may drop out after every repeat purchase.
 *
 * While alive a customer buys at random, at an individual rate lambda; the rates vary over
 * customers as a gamma distribution with shape r and rate alpha. After each repeat purchase the
 * customer leaves with an individual dropout probability p, which varies as a beta distribution
 * with parameters a and b. lambda and p are independent of each other.
 *
 * Since customers leave only after repeat purchases, customers without one are alive with
 * certainty. That is a known weakness of the model, which mbg/nbd does not have.
 *
 * The likelihood is at the top of beta_geometric_terms.c, predictions are in beta_geometric.c.
 *
 * Fader, Hardie & Lee (2005), "Counting your customers" the easy way: an
 * alternative to the Pareto/NBD model, Marketing Science 24(2).
 */
#include "families/beta_geometric.h"
#include "families/clocks.h"
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
	.unit_free = {{"ln_r", CLV_LN_PRODUCT, {1, 0, 0, 0}, false},
				  {"ln_rate", CLV_LN_PRODUCT, {1, -1, 0, 0}, true},
				  {"logit_dropout", CLV_LN_PRODUCT, {0, 0, 1, -1}, false},
				  {"ln_a_plus_b", CLV_LN_SUM, {0, 0, 1, 1}, false}},
	.start = clv_bg_start,
	.draw = Draw,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.p_alive = PAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.rates = clv_bg_rates,
	.probability = Probability,
	.probabilities = Probabilities,
	.pairs = Pairs,
	.discounted = Discounted,
	.survival = Survival,
	.ln_common = LnCommon,
	.departed = Departed,
	.alive = clv_bg_term_alive,
	.clocked = &clv_bg_clocked,
};
