// The data of a page: what the queries of queries/<page>/ say, as { name of the query: rows }.
//
// Connects as PGHOST, PGPORT, PGUSER, PGDATABASE ... say and reads the views of the pipeline CLV_PIPELINE (shop).
// A query that fails, or rows too many for a page, end the build.
import {readdirSync, readFileSync} from "node:fs";
import {parseArgs} from "node:util";
import pg from "pg";

const MOST_ROWS = 5000;

// By themselves int8 and numeric come as text, and dates as midnight wherever the build happens to run.
const {builtins, setTypeParser} = pg.types;
for (const type of [builtins.INT8, builtins.NUMERIC]) setTypeParser(type, Number);
for (const type of [builtins.DATE, builtins.TIMESTAMPTZ]) setTypeParser(type, (text) => text);

const {page} = parseArgs({options: {page: {type: "string"}}}).values;
const directory = `queries/${page}/`;
const pipeline = process.env.CLV_PIPELINE || "shop";

async function read(client) {
  const data = {};
  await client.query(`SET search_path = ${client.escapeIdentifier(pipeline)}`);
  // one snapshot: a refresh that ends meanwhile does not put two truths on a page
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  for (const file of readdirSync(directory).sort()) {
    try {
      data[file.replace(/\.sql$/, "")] = (await client.query(readFileSync(directory + file, "utf8"))).rows;
    } catch (error) {
      throw new Error(`${directory}${file}: ${error.message}`);
    }
  }
  return data;
}

const started = Date.now();
const client = new pg.Client();
await client.connect();
let data;
try {
  data = await read(client);
} finally {
  await client.end();
}
const rows = Object.values(data).reduce((sum, list) => sum + list.length, 0);
if (rows > MOST_ROWS) throw new Error(`page ${page} fetches ${rows} rows, more than ${MOST_ROWS}`);
console.error(`clv: page ${page}: ${rows} rows in ${((Date.now() - started) / 1000).toFixed(1)} s`);
process.stdout.write(JSON.stringify(data));
