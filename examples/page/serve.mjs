// Serves this folder, and a module as page.wasm, with the two headers without which a page may not share memory:
//
//   node serve.mjs MODULE [PORT]

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const types = { ".html": "text/html", ".mjs": "text/javascript", ".wasm": "application/wasm" };

// `special` may answer a request itself, and may change a page before it is sent.
export function serve(wasm, special = {}) {
    return createServer(async ({ url }, response) => {
        const name = url === "/" ? "index.html" : url.slice(1);
        if (special.answer?.(name, response)) return;
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
        if (!/^\w+\.\w+$/.test(name)) return response.writeHead(404).end();
        try {
            const file = name === "page.wasm" ? wasm : fileURLToPath(new URL(name, import.meta.url));
            const content = await readFile(file);
            response.setHeader("Content-Type", types[extname(name)] ?? "text/plain");
            response.end(name === "index.html" ? special.edit?.(content) ?? content : content);
        } catch {
            response.writeHead(404).end();
        }
    });
}

if (argv[1] === fileURLToPath(import.meta.url)) {
    const server = serve(argv[2]).listen(argv[3] ?? 8080, "localhost", () =>
        console.log(`http://localhost:${server.address().port}`));
}
