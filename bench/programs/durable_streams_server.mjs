// @durable-streams/server on files, as its documentation sets it up.
// Usage: node durable_streams_server.mjs FOLDER PORT MODULES

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, port, modules] = process.argv.slice(2);
// An import looks beside this file, where nothing is installed.
const require = createRequire(join(modules, "here.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { DurableStreamTestServer } = await load("@durable-streams/server");

await new DurableStreamTestServer({ host: "127.0.0.1", port: Number(port), dataDir: folder }).start();
