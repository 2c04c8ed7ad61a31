-- Repeat purchases of every whole week of the last ten years: expected by the model fitted before the hold-out, and
-- made.
SELECT starts_after, ends_on, held_out, expected, actual
FROM tracking
WHERE period_number > (SELECT max(period_number) - 520 FROM tracking)
  AND ends_on - starts_after = (SELECT max(ends_on - starts_after) FROM tracking)
ORDER BY period_number;
