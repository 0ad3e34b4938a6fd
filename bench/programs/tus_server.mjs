// @tus/server with its file store, as its documentation sets it up.
// Usage: node tus_server.mjs FOLDER PORT MODULES

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, port, modules] = process.argv.slice(2);
// An import looks beside this file, where nothing is installed.
const require = createRequire(join(modules, "here.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Server } = await load("@tus/server");
const { FileStore } = await load("@tus/file-store");

new Server({
  path: "/files",
  datastore: new FileStore({ directory: folder }),
}).listen({ host: "127.0.0.1", port: Number(port) });
