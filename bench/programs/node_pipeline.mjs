// Node's own way to send a file: a readable stream piped into the response.
// Usage: node node_pipeline.mjs FOLDER PORT

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { pipeline } from "node:stream";

const [folder, port] = process.argv.slice(2);
const types = { ".bin": "application/octet-stream", ".html": "text/html", ".txt": "text/plain" };

const server = createServer(async (req, res) => {
  // An absolute path normalises without any "..", so the joined one stays in the folder.
  const name = normalize(decodeURIComponent(new URL(req.url, "http://localhost").pathname));
  const path = join(folder, name);
  let size;
  try {
    const facts = await stat(path);
    if (!facts.isFile()) throw new Error("not a file");
    size = facts.size;
  } catch {
    res.writeHead(404, { "content-length": 0 }).end();
    return;
  }
  res.writeHead(200, {
    "content-length": size,
    "content-type": types[extname(path)] ?? "application/octet-stream",
  });
  pipeline(createReadStream(path), res, () => {});
});

server.listen(Number(port), "127.0.0.1");
