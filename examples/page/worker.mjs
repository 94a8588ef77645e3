// The worker: a second instance of the same module in the same memory, with a stack of its own.

onmessage = async ({ data: { module, memory, stackEnd, locals } }) => {
    const host = { show: (...text) => postMessage({ show: text }), wake: () => postMessage({}) };
    const { exports } = await WebAssembly.instantiate(module, { host, env: { memory } });
    exports.__stack_pointer.value = stackEnd;
    exports.__wasm_init_tls(locals);
    exports.work();
};
