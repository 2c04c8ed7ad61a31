-- Past revenue is one number in all views, and with what it leaves out it adds up to the source, to the cent; keys as
-- text differ where customers do.
SET client_min_messages = error;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never

CREATE TABLE book (country text, customer_no text, sold_at timestamptz, amount numeric(12,2), back bool,
	written timestamptz DEFAULT '2021-01-01');
INSERT INTO book
SELECT CASE WHEN c % 3 = 0 THEN 'AT' ELSE 'DE' END, 'c' || c,
	   timestamptz '2020-01-01 12:00Z' + (c * 7 % 180 + k * (2 + c * 37 % 97)) * interval '1 day',
	   round((5 + c % 40) * (8 + k * 7 % 5) / 10.0, 2) + 0.01 * (c % 7), (c * 13 + k) % 29 = 0
FROM generate_series(1, 200) c, generate_series(0, 60) k
WHERE (k = 0 OR k <= (ARRAY[0, 1, 3, 60])[1 + c * 11 % 4] - c % 2) AND c * 7 % 180 + (k * (2 + c * 37 % 97)) < 366;
INSERT INTO book (country, customer_no, sold_at, amount, back) VALUES
	-- without a customer, or without a time
	(NULL, 'c1', '2020-05-05', 12.34, false), ('DE', NULL, '2020-05-05', 1.11, true),
		(NULL, NULL, NULL, 5.05, false), ('DE', 'c1', NULL, 7.25, false),
	-- refunds alone, or before the first purchase, which may be to come
	('AT', 'never', '2020-05-05', 12.10, true), ('DE', 'c1', '2019-02-03', 3.5, true),
		('DE', 'c2', '2019-12-30', 0.25, true),
	('DE', 'later', '2021-03-01', 11, false), ('DE', 'later', '2020-03-01', 0.75, true),
	-- after the day
	('DE', 'c2', '2021-03-01', 13.13, false), ('DE', 'c4', '2021-02-01', 2.02, true),
	-- refunds of more than was bought, and of unknown amount
	('DE', 'thief', '2020-03-01', 10, false), ('DE', 'thief', '2020-03-09', 900, true),
		('DE', 'by day only', '2020-03-03', NULL, false),
	-- keys that are equal when their parts are joined
	('x/y', '5', '2020-02-02', 4, false), ('x', 'y/5', '2020-02-02', 4, false),
		('x', 'y\/5', '2020-02-02', 4, false), ('x\', 'y/5', '2020-02-02', 4, false),
	('DE', repeat('k', 300), '2020-02-02', 4, false), ('DE', repeat('k', 299) || 'l', '2020-02-02', 4, false),
		('DE', repeat('k', 251), '2020-02-02', 4, false);
CREATE VIEW signed AS SELECT *, CASE WHEN back THEN -amount ELSE amount END AS net FROM book;

CALL clv_create_pipeline('books', 'book', 'country, customer_no', 'sold_at', 'amount', "returns" => 'back',
	as_of => '2020-12-31',
	changed_at => 'written', holdout => '90 days');
CALL clv_refresh('books');

CREATE VIEW sums AS
SELECT e.source_revenue = (SELECT sum(net) FROM signed) AS source,
	   e.source_revenue = e.past_revenue + e.revenue_after + e.revenue_without_purchase
	   + e.revenue_without_customer + e.revenue_without_time AS parts,
	   e.past_revenue = (SELECT sum(monetary) FROM books.customers) AS customers,
	   e.past_revenue = (SELECT sum(past_revenue) FROM books.segments) AS segments,
	   e.past_revenue = (SELECT sum(past_revenue) FROM books.cohorts) AS cohorts,
	   e.past_revenue = (SELECT sum(revenue) FROM books.cohort_retention) AS months,
	   e.past_revenue = (SELECT sum(value) FROM books.concentration WHERE basis = 'past revenue') AS deciles,
	   e.past_revenue = (SELECT past_revenue FROM books.equity_history h WHERE h.run = e.run) AS history,
	   e.source_revenue = (SELECT total_revenue FROM books.runs WHERE is_current) AS run
FROM books.equity e;
SELECT * FROM sums;
-- each part of the reconciliation, computed by hand
SELECT e.revenue_after, e.revenue_without_purchase, e.revenue_without_customer, e.revenue_without_time, e.early_refunds,
	   e.customers_without_purchase, e.rows_without_customer, e.rows_without_time FROM books.equity e;
CREATE VIEW by_key AS
SELECT country, customer_no, min(sold_at) FILTER (WHERE NOT back AND sold_at < '2021-01-01') AS first
FROM book WHERE country IS NOT NULL AND customer_no IS NOT NULL GROUP BY 1, 2;
SELECT e.past_revenue = sum(s.net) FILTER (WHERE s.sold_at < '2021-01-01' AND k.first IS NOT NULL) AS past,
	   e.revenue_after = sum(s.net) FILTER (WHERE s.sold_at >= '2021-01-01') AS after,
	   e.revenue_without_purchase
	   = sum(s.net) FILTER (WHERE s.sold_at < '2021-01-01' AND k.first IS NULL) AS without_purchase,
	   e.customers_without_purchase = (SELECT count(*) FROM by_key WHERE first IS NULL) AS customers,
	   e.early_refunds = sum(s.net) FILTER (WHERE s.sold_at::date < k.first::date) AS early
FROM books.equity e, signed s
JOIN by_key k USING (country, customer_no) GROUP BY e.past_revenue, e.revenue_after, e.revenue_without_purchase,
	e.customers_without_purchase, e.early_refunds;

-- refunds before the first purchase are in its month
SELECT min(age_months) AS youngest, count(*) FILTER (WHERE age_months > 0) > 50 AS others,
	   bool_and(revenue = coalesce((SELECT sum(s.net) FROM signed s JOIN books.customers c USING (country, customer_no)
		WHERE c.cohort_month = r.cohort_month AND s.sold_at < '2021-01-01'
		  AND greatest(date_trunc('month', s.sold_at)::date, c.cohort_month) = r.month), 0)) AS by_hand
		  FROM books.cohort_retention r;
-- shares are of the positive values
SELECT basis, abs(sum(value_share) - 1) < 1e-9 AS shares, min(value_share) >= 0 AS none_below,
	   max(cumulative_value_share) <= 1 AS whole, max(gini) < 1 AS gini
FROM books.concentration GROUP BY 1 ORDER BY 1;

-- keys as text
SELECT count(*) = count(DISTINCT customer_key) AS different, max(length(customer_key)) AS longest,
	   bool_and(customer_key = country || '/'
		   || customer_no) FILTER (WHERE customer_no ~ '^c\d+$') AS plain_ones
FROM books.customers;
SELECT customer_key FROM books.customers WHERE country LIKE 'x%' ORDER BY customer_key COLLATE "C";

-- by touched customers as in full, of rows without a customer too
INSERT INTO book
VALUES ('DE', NULL, '2020-07-07', 100.01, false, '2021-02-01'),
	('DE', 'c7', '2020-12-30', 0.5, true, '2021-02-01');
UPDATE book SET sold_at = NULL, written = '2021-02-02' WHERE customer_no = 'c8';
CALL clv_refresh('books');
SELECT mode FROM books.runs WHERE is_current;
SELECT * FROM sums;
-- rows outside of the filter are not counted as left out
CALL clv_alter_pipeline('books', filter => 'NOT back AND amount < 20');
CALL clv_refresh('books');
SELECT source_revenue = (SELECT sum(net) FROM signed WHERE NOT back AND amount < 20) AS source,
	   source_revenue = past_revenue + revenue_after + revenue_without_purchase + revenue_without_customer
	   + revenue_without_time AS parts,
	   early_refunds, revenue_without_purchase FROM books.equity;
-- columns that cannot be NULL need not be read again; without money there is nothing to add up
CREATE TABLE strict_book (customer_no text NOT NULL, sold_at date NOT NULL, amount float8);
INSERT INTO strict_book
SELECT customer_no, sold_at::date, amount
FROM book WHERE customer_no IS NOT NULL AND sold_at IS NOT NULL AND NOT back;
CALL clv_drop_pipeline('books', true);
CALL clv_create_pipeline('books', 'strict_book', 'customer_no', 'sold_at', 'amount', as_of => '2020-12-31');
CALL clv_refresh('books');
SELECT source_revenue = (SELECT sum(amount::numeric) FROM strict_book) AS source,
	   source_revenue = past_revenue + revenue_after AS parts,
	   rows_without_customer, rows_without_time FROM books.equity;
SELECT customer_key = customer_no AS as_it_is, count(*) > 100 AS many
FROM books.customers WHERE length(customer_no) < 255 GROUP BY 1;
CALL clv_alter_pipeline('books', "reset" => '{amount}');
CALL clv_refresh('books');
SELECT source_revenue, past_revenue, revenue_after, revenue_without_purchase, revenue_without_customer,
	   early_refunds, rows_without_time
FROM books.equity;

-- the error of an infinite amount names its customer
INSERT INTO strict_book VALUES ('c42', '2020-05-05', 1e30);
CALL clv_alter_pipeline('books', amount => 'amount', options => clv_options());
CALL clv_refresh('books');
UPDATE strict_book SET amount = 9e13 WHERE amount = 1e30;
CALL clv_refresh('books');
SELECT past_revenue > 9e13 AS large, expected_revenue > 0 AS expected,
	   (SELECT sum(expected_revenue) FROM books.forecast WHERE segment = '(all)') = expected_revenue AS forecast
FROM books.equity;
SELECT clv_internal.clv_cents(1e22) AS more_than_the_columns_hold, clv_internal.clv_cents(-1e22) AS less,
	   clv_internal.clv_cents(9.5e21) AS just;

CALL clv_drop_pipeline('books');
DROP TABLE book, strict_book CASCADE;
