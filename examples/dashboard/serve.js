// Serves dist/ on 127.0.0.1, for a look: PORT (8610), or another one where that is taken.
import {readFile} from "node:fs";
import {createServer} from "node:http";
import {extname, join, normalize} from "node:path";

const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml"
};

// /segments is dist/segments.html, / is dist/index.html
function fileOf(url) {
  const path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
  if (path.endsWith("/")) return join("dist", path, "index.html");
  return join("dist", extname(path) ? path : `${path}.html`);
}

const server = createServer((request, response) => {
  const answer = (status, type, content) => response.writeHead(status, {"content-type": type}).end(content);
  try {
    const file = fileOf(request.url);
    readFile(file, (error, content) => {
      if (error) answer(404, "text/plain", "there is no such page\n");
      else answer(200, types[extname(file)] ?? "application/octet-stream", content);
    });
  } catch {
    answer(400, "text/plain", "that is no address\n");
  }
});

server.on("listening", () => console.log(`http://127.0.0.1:${server.address().port}/`));
server.on("error", (error) => {
  if (error.code !== "EADDRINUSE") throw error;
  server.listen(0, "127.0.0.1");
});
server.listen(Number(process.env.PORT || 8610), "127.0.0.1");
