/*
 * mbgnbd.c
 *		MBG/NBD: customers may drop out after every purchase, the first one included.
 *
 * As bg/nbd, with purchases at a gamma distributed rate and a beta distributed dropout
 * probability, but customers may leave right after the first purchase too, so that one-time
 * buyers are not all alive. Customers who stay after the first purchase are customers of
 * bg/nbd, and so are their predictions.
 *
 * The likelihood is at the top of beta_geometric_terms.c, predictions are in beta_geometric.c.
 *
 * Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of
 * models for customer base analysis, IJRM 24(3); Hoppe & Wagner (2007), Customer
 * base analysis: the case for a central variant of the betageometric/NBD model,
 * Marketing JRM 3(2).
 */
#include "families/beta_geometric.h"
#include "families/clocks.h"
#include "families/registry.h"

CLV_BG_FORWARDERS(1)

const ClvFamily clv_mbgnbd = {
	.name = "mbg/nbd",
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
