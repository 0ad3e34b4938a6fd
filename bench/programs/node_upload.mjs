// Node's own way to take a file: the request piped into a writable file.
// Usage: node node_upload.mjs FOLDER PORT

import { createWriteStream } from "node:fs";
import { createServer } from "node:http";
import { join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";

const [folder, port] = process.argv.slice(2);

const server = createServer(async (req, res) => {
  if (req.method !== "PUT") {
    res.writeHead(405, { "content-length": 0 }).end();
    return;
  }
  // An absolute path normalises without any "..", so the joined one stays in the folder.
  const name = normalize(decodeURIComponent(new URL(req.url, "http://localhost").pathname));
  try {
    await pipeline(req, createWriteStream(join(folder, name)));
    res.writeHead(201, { "content-length": 0 }).end();
  } catch {
    if (!res.headersSent) res.writeHead(500, { "content-length": 0 }).end();
  }
});

server.listen(Number(port), "127.0.0.1");
