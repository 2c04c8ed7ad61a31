-- ---- the shipped maps --------------------------------------------------------------------------
-- 'rfmtc' asks first whether there still is a customer: P(alive) itself, not its rank. 'rfm' and 'rf' are the two maps
-- of the marketing literature that give every cell exactly one name. Maps over scores are written for 5 bins ('micro'
-- for any).

INSERT INTO @extschema@.clv_segment_map (map, "position", segment, rule, description, builtin) VALUES
	('rfmtc', 1, 'Champions', '{"value": {"p_alive": {"min": 0.8}}, "t": [2, 3, 4, 5], "v": 5}',
		'here, and the most valuable fifth: thank them, ask them, let them try what is new; no discount', true),
	('rfmtc', 2, 'Loyal', '{"value": {"p_alive": {"min": 0.8}}, "t": [2, 3, 4, 5], "v": 4}',
		'here, and valuable: offer more of the range, and what keeps them', true),
	('rfmtc', 3, 'Steady', '{"value": {"p_alive": {"min": 0.8}}, "t": [2, 3, 4, 5], "v": 3}',
		'here, in the middle of the value: the usual mailings are enough', true),
	('rfmtc', 4, 'Occasional', '{"value": {"p_alive": {"min": 0.8}}, "t": [2, 3, 4, 5], "v": [1, 2]}',
		'here, and buy little: cheap channels, offers that raise what they spend at a time', true),
	('rfmtc', 5, 'Rising Stars', '{"value": {"p_alive": {"min": 0.5}}, "t": 1, "v": [4, 5]}',
		'the fifth that came last, and already valuable: make the next orders easy, and learn why they came', true),
	('rfmtc', 6, 'Newest', '{"value": {"p_alive": {"min": 0.5}}, "t": 1, "v": [1, 2, 3]}',
		'the fifth that came last: welcome them, the second order is the step that matters', true),
	('rfmtc', 7, 'Valuable At Risk',
		'{"value": {"p_alive": {"min": 0.5, "below": 0.8}}, "t": [2, 3, 4, 5], "v": [4, 5]}',
		'valuable, and may have left: write before the lapse date, in person where that pays', true),
	('rfmtc', 8, 'Cooling', '{"value": {"p_alive": {"min": 0.5, "below": 0.8}}, "t": [2, 3, 4, 5], "v": [1, 2, 3]}',
		'may have left, and are worth less: a reminder that costs little', true),
	('rfmtc', 9, 'Win Back First', '{"value": {"p_alive": {"below": 0.5}}, "v": [4, 5]}',
		'probably gone, yet among the most valuable two fifths: win them back first, and ask why they went', true),
	('rfmtc', 10, 'Former Regulars', '{"value": {"p_alive": {"below": 0.5}}, "v": [1, 2, 3], "f": [4, 5]}',
		'bought often, and are probably gone: one good offer, then let go', true),
	('rfmtc', 11, 'Passed Through', '{"value": {"p_alive": {"below": 0.5}}, "v": [1, 2, 3], "f": [1, 2, 3], "t": 1}',
		'came last, bought little, and are probably gone: look at what brought them here', true),
	('rfmtc', 12, 'Lost',
		'{"value": {"p_alive": {"below": 0.5}}, "v": [1, 2, 3], "f": [1, 2, 3], "t": [2, 3, 4, 5]}',
		'bought little, and are probably gone: spend nothing on them', true),
	('rfm', 1, 'Champions',
		'{"rfm": ["555", "554", "544", "545", "454", "455", "445"]}',
		'bought recently, buy often and spend most', true),
	('rfm', 2, 'Loyal',
		'{"rfm": ["543", "444", "435", "355", "354", "345", "344", "335"]}',
		'buy often and spend well', true),
	('rfm', 3, 'Potential Loyalist',
		'{"rfm": ["553", "551", "552", "541", "542", "533", "532", "531", "452", "451", "442", "441", "431", "453", '
		'"433", "432", "423", "353", "352", "351", "342", "341", "333", "323"]}',
		'recent, with more than one purchase', true),
	('rfm', 4, 'New Customers',
		'{"rfm": ["512", "511", "422", "421", "412", "411", "311"]}',
		'bought recently, but not often', true),
	('rfm', 5, 'Promising',
		'{"rfm": ["525", "524", "523", "522", "521", "515", "514", "513", "425", "424", "413", "414", "415", "315", '
		'"314", "313"]}',
		'recent and spending, but not often', true),
	('rfm', 6, 'Need Attention',
		'{"rfm": ["535", "534", "443", "434", "343", "334", "325", "324"]}',
		'above average, but not so recent', true),
	('rfm', 7, 'About To Sleep',
		'{"rfm": ["331", "321", "312", "221", "213", "231", "241", "251"]}',
		'below average, and slipping away', true),
	('rfm', 8, 'At Risk',
		'{"rfm": ["255", "254", "245", "244", "253", "252", "243", "242", "235", "234", "225", "224", "153", "152", '
		'"145", "143", "142", "135", "134", "133", "125", "124"]}',
		'spent much and bought often, long ago', true),
	('rfm', 9, 'Can''t Lose Them',
		'{"rfm": ["155", "154", "144", "214", "215", "115", "114", "113"]}',
		'spent most, and have not been back for long', true),
	('rfm', 10, 'Hibernating',
		'{"rfm": ["332", "322", "233", "232", "223", "222", "132", "123", "122", "212", "211"]}',
		'last purchase long ago, few and small ones', true),
	('rfm', 11, 'Lost',
		'{"rfm": ["111", "112", "121", "131", "141", "151"]}',
		'lowest recency, frequency and spend', true),
	('rf', 1, 'Champions', '{"r": [5], "f": [4, 5]}', 'recent and frequent', true),
	('rf', 2, 'Loyal Customers', '{"r": [3, 4], "f": [4, 5]}', 'frequent, of late too', true),
	('rf', 3, 'Potential Loyalists', '{"r": [4, 5], "f": [2, 3]}', 'recent, with some purchases', true),
	('rf', 4, 'New Customers', '{"r": [5], "f": [1]}', 'bought for the first time just now', true),
	('rf', 5, 'Promising', '{"r": [4], "f": [1]}', 'bought recently, once', true),
	('rf', 6, 'Need Attention', '{"r": [3], "f": [3]}', 'average in both', true),
	('rf', 7, 'About To Sleep', '{"r": [3], "f": [1, 2]}', 'below average, and slipping away', true),
	('rf', 8, 'Can''t Lose', '{"r": [1, 2], "f": [5]}', 'bought most often, long ago', true),
	('rf', 9, 'At Risk', '{"r": [1, 2], "f": [3, 4]}', 'bought often, long ago', true),
	('rf', 10, 'Hibernating', '{"r": [1, 2], "f": [1, 2]}', 'few purchases, long ago', true),
	('abc', 1, 'A',
		'{"attributes": {"cumulative_share": {"below": 0.8}}}',
		'the customers who bring the first 80 % of past spend', true),
	('abc', 2, 'B',
		'{"attributes": {"cumulative_share": {"min": 0.8, "below": 0.95}}}',
		'those who bring the next 15 %', true),
	('abc', 3, 'C', '{}', 'those who bring the last 5 %', true),
	('potential', 1, 'Stars', '{"m": [4, 5], "v": [4, 5]}', 'spent much, and will', true),
	('potential', 2, 'Rising',
		'{"m": [1, 2, 3], "v": [4, 5]}',
		'worth more tomorrow than yesterday''s spend says', true),
	('potential', 3, 'Fading', '{"m": [4, 5], "v": [3]}', 'spent much, and will spend less', true),
	('potential', 4, 'Former Stars', '{"m": [4, 5], "v": [1, 2]}', 'spent much, and hardly will again', true),
	('potential', 5, 'Steady', '{"m": [1, 2, 3], "v": [3]}', 'in the middle of the years ahead', true),
	('potential', 6, 'Minor', '{"m": [1, 2, 3], "v": [1, 2]}', 'little spend, behind and ahead', true),
	('lifecycle', 1, 'New', '{"t": [1]}', 'the fifth that came last', true),
	('lifecycle', 2, 'Lost', '{"c": [1, 2], "r": [1, 2]}', 'probably gone, and not seen for long', true),
	('lifecycle', 3, 'Declining',
		'{"attributes": {"trend": {"below": -0.34}}}',
		'bought far more in the older half of the time since the first purchase', true),
	('lifecycle', 4, 'Declining', '{"c": [1, 2]}', 'bought lately, but less than they used to', true),
	('lifecycle', 5, 'Growing', '{"attributes": {"trend": {"above": 0}}}', 'buy more in the younger half', true),
	('lifecycle', 6, 'Loyal', '{"t": [2, 3, 4, 5], "c": [3, 4, 5]}', 'keep on buying', true),
	('micro', 1, 'r{r}f{f}m{m}', '{}', 'one segment for each cell of r, f and m', true),
	-- the last rule is for what is none of the four words, so that it is seen
	('value x satisfaction', 1, 'Must Not Lose',
		'{"v": [4, 5], "attributes": {"satisfaction": "detractor"}}',
		'valuable and unhappy: talk to them first', true),
	('value x satisfaction', 2, 'Win Over',
		'{"v": [4, 5], "attributes": {"satisfaction": "passive"}}',
		'valuable and lukewarm: open to a better offer, from you or from others', true),
	('value x satisfaction', 3, 'Advocates',
		'{"v": [4, 5], "attributes": {"satisfaction": "promoter"}}',
		'valuable and enthusiastic: let them speak for you', true),
	('value x satisfaction', 4, 'Ask First',
		'{"v": [4, 5], "attributes": {"satisfaction": "unknown"}}',
		'valuable, satisfaction not known: ask them in the next survey', true),
	('value x satisfaction', 5, 'Unhappy',
		'{"v": [1, 2, 3], "attributes": {"satisfaction": "detractor"}}',
		'unhappy and worth less: mend what many of them name', true),
	('value x satisfaction', 6, 'Content',
		'{"v": [1, 2, 3], "attributes": {"satisfaction": "passive"}}',
		'neither enthusiastic nor worth much', true),
	('value x satisfaction', 7, 'Fans',
		'{"v": [1, 2, 3], "attributes": {"satisfaction": "promoter"}}',
		'enthusiastic, and could buy more', true),
	('value x satisfaction', 8, 'Not Asked',
		'{"v": [1, 2, 3], "attributes": {"satisfaction": "unknown"}}',
		'worth less, satisfaction not known', true),
	('value x satisfaction', 9, 'Unclear', '{}',
		'satisfaction is not promoter, passive, detractor or unknown: to be mended', true);

CREATE FUNCTION clv_internal.clv_segment_map_guard() RETURNS pg_catalog.trigger
	LANGUAGE plpgsql COST 20 AS $$
BEGIN
	IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE'
	   OR TG_OP OPERATOR(pg_catalog.<>) 'INSERT' AND OLD.builtin
	   OR TG_OP OPERATOR(pg_catalog.<>) 'DELETE' AND NEW.builtin
	THEN
		RAISE EXCEPTION 'the shipped segment maps cannot be changed'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Copy the rows of a map with builtin = false and change those: a map of your own replaces '
					'a shipped one of the same name.';
	END IF;
	IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_segment_map_guard() IS
	'trigger that refuses changes of shipped maps, because pg_dump would lose them';
REVOKE EXECUTE ON FUNCTION clv_internal.clv_segment_map_guard() FROM PUBLIC;
CREATE TRIGGER clv_segment_map_guard BEFORE INSERT OR UPDATE OR DELETE ON @extschema@.clv_segment_map
	FOR EACH ROW EXECUTE FUNCTION clv_internal.clv_segment_map_guard();
COMMENT ON TRIGGER clv_segment_map_guard ON @extschema@.clv_segment_map IS 'keeps the shipped maps as they are';
CREATE TRIGGER clv_segment_map_guard_truncate BEFORE TRUNCATE ON @extschema@.clv_segment_map
	FOR EACH STATEMENT EXECUTE FUNCTION clv_internal.clv_segment_map_guard();
COMMENT ON TRIGGER clv_segment_map_guard_truncate ON @extschema@.clv_segment_map IS
	'keeps the shipped maps as they are';

CREATE FUNCTION clv_internal.clv_segment_map_on_workers() RETURNS pg_catalog.trigger
LANGUAGE plpgsql COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	workers text;
BEGIN
	IF to_regclass('pg_catalog.pg_dist_node') IS NOT NULL THEN
		EXECUTE $sql$
			SELECT string_agg(n.nodename || ':' || n.nodeport, ', ' ORDER BY n.nodeid)
			FROM pg_catalog.pg_dist_local_group g
			JOIN pg_catalog.pg_dist_node n ON n.groupid <> g.groupid
			WHERE g.groupid = 0
		$sql$ INTO workers;
	END IF;
	IF workers IS NOT NULL THEN
		RAISE WARNING 'segment maps have been changed on this server, and not on its workers: %', workers
			USING DETAIL = 'segment_assign over distributed tables is evaluated on workers, by the maps that they '
					'have. Pipelines send the rules along.',
				HINT = 'Run the same statement on each of them, for instance with run_command_on_workers.';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_segment_map_on_workers() IS
	'trigger that warns where maps are changed on a coordinator of Citus, whose workers have tables of their own';
REVOKE EXECUTE ON FUNCTION clv_internal.clv_segment_map_on_workers() FROM PUBLIC;
CREATE TRIGGER clv_segment_map_on_workers AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.clv_segment_map
	FOR EACH STATEMENT EXECUTE FUNCTION clv_internal.clv_segment_map_on_workers();
COMMENT ON TRIGGER clv_segment_map_on_workers ON @extschema@.clv_segment_map IS
	'warns where workers of Citus are left with other maps';
