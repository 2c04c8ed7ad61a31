// Builds dist/ from what the views say now, and asks the database alone.
import {spawnSync} from "node:child_process";
import {mkdirSync, rmSync} from "node:fs";
import {buildSync} from "esbuild";

const cache = "src/.observablehq/cache";

// Framework keeps what queries returned, and would show it again: numbers of yesterday.
for (const old of [`${cache}/data`, `${cache}/_file`, "dist"]) rmSync(old, {recursive: true, force: true});

// It knows libraries by name that pages may use without saying so, and would ask the npm registry for their newest
// versions. Our pages use none of them; a version that seems to be at hand already spares the question.
const unused = ["@observablehq/plot", "@observablehq/sample-datasets", "apache-arrow", "arquero", "d3", "d3-dsv", "echarts",
  "htl", "leaflet", "lodash", "mapbox-gl", "parquet-wasm", "react", "react-dom", "topojson-client"];
for (const library of unused) mkdirSync(`${cache}/_npm/${library}@0.0.0`, {recursive: true});

// Plot and all it stands on as one module: Framework would go through forty packages one by one, at every build.
buildSync({entryPoints: ["@observablehq/plot"], bundle: true, format: "esm", minify: true, outfile: "src/lib/plot.js"});

const {status} = spawnSync("node_modules/.bin/observable", ["build"], {
  stdio: "inherit",
  env: {...process.env, OBSERVABLE_TELEMETRY_DISABLE: "true"}
});
process.exit(status ?? 1);
