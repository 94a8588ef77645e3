// The page: makes the memory and the channels, starts the worker, and polls its task whenever that was woken.

const memory = new WebAssembly.Memory({ initial: 32, maximum: 1024, shared: true });

const host = {
    show(text, length) {
        // A copy, since text in shared memory cannot be decoded.
        const bytes = new Uint8Array(memory.buffer, text, length).slice();
        document.querySelector("pre").append(new TextDecoder().decode(bytes) + "\n");
    },
    wake: () => queueMicrotask(() => exports.poll()),
};
const module = await WebAssembly.compileStreaming(fetch("page.wasm"));
const { exports } = await WebAssembly.instantiate(module, { host, env: { memory } });
exports.begin();

const worker = new Worker("worker.mjs", { type: "module" });
worker.onmessage = ({ data }) => "show" in data ? host.show(...data.show) : exports.poll();
const stackBytes = 1 << 18;
worker.postMessage({
    module,
    memory,
    stackEnd: exports.room(stackBytes) + stackBytes,
    locals: exports.room(exports.__tls_size.value),
});
exports.poll();
