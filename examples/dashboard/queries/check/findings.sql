-- What the last full refresh found in the source.
SELECT number, severity, finding, rows, customers, advice, share, to_char(checked_at, 'YYYY-MM-DD') AS checked_on
FROM "check"
ORDER BY number;
