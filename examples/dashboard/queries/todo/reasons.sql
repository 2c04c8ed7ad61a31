-- Why customers are about to lapse.
SELECT reason_code, count(*) AS customers, sum(clv) AS clv
FROM alerts
GROUP BY reason_code
ORDER BY customers DESC, reason_code;
