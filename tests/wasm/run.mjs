// Runs all tests in a module, in Node or on a page: each in an instance of its own, which a panic ends.
//
// A test whose name ends in `_panics` has to, and to say what to do instead.

export async function runAll(bytes, say) {
    const module = await WebAssembly.compile(bytes);
    let passed = 0, failed = 0;
    for (let number = 0; ; number++) {
        const said = [];
        const host = {
            say: (text, length) =>
                said.push(new TextDecoder().decode(new Uint8Array(instance.exports.memory.buffer, text, length))),
        };
        const instance = await WebAssembly.instantiate(module, { host });
        let panicked = false;
        try {
            if (!instance.exports.run(number)) break;
        } catch (error) {
            if (!(error instanceof WebAssembly.RuntimeError)) throw error;
            panicked = true;
        }
        const [name, ...words] = said;
        const wanted = name.endsWith("_panics");
        const ok = wanted ? panicked && words.join().includes("await it instead") : !panicked;
        ok ? passed++ : failed++;
        say(`test ${name} ... ${ok ? "ok" : `FAILED: ${words.join(", ")}`}`);
    }
    say(`test result: ${failed ? "FAILED" : "ok"}. ${passed} passed; ${failed} failed`);
    return failed === 0;
}

if (globalThis.process?.argv[2]) {
    const { readFile } = await import("node:fs/promises");
    if (!await runAll(await readFile(process.argv[2]), console.log)) process.exit(1);
}
