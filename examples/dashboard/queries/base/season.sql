-- Whether purchase rates follow a season or a calendar.
SELECT count(*) > 0 AS follows
FROM model_parameters
WHERE process = 'purchase effect';
