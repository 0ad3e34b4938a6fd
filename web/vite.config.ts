import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";

const OUT = new URL("../src/riverrun/web/build", import.meta.url).pathname;

/** What the server sends to those who take it: each file compressed once, here. */
function compressed(): Plugin {
  return {
    name: "compressed",
    closeBundle() {
      for (const name of readdirSync(`${OUT}/assets`)) {
        const content = readFileSync(`${OUT}/assets/${name}`);
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        writeFileSync(`${OUT}/assets/${name}.br`, brotliCompressSync(content, { params }));
        writeFileSync(`${OUT}/assets/${name}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/~/",
  plugins: [preact(), compressed()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { input: "src/main.tsx" },
  },
});
