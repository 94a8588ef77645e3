// Opens examples/page in a browser, and prints the text that it shows. Fails if the last line is not there in time:
//
//   node open.mjs MODULE LAST-LINE SECONDS BROWSER ARGUMENT...

import { spawn } from "node:child_process";
import { argv, exit } from "node:process";

import { serve } from "../../examples/page/serve.mjs";

const [wasm, last, seconds, browser, ...args] = argv.slice(2);

// The browser prints the page once it is loaded. So the page gets a picture, which arrives when the last line is there.
let picture;
const more = `<img src="/picture"><script>
    new MutationObserver((_, observer) => {
        if (!document.querySelector("pre").textContent.includes(${JSON.stringify(last)})) return;
        observer.disconnect();
        fetch("/shown");
    }).observe(document.querySelector("pre"), { childList: true });
</script>`;
const server = serve(wasm, {
    edit: (page) => page + more,
    answer(name, response) {
        if (name === "picture") picture = response;
        else if (name === "shown") [picture, response].forEach((each) => each.end());
        else return false;
        return true;
    },
}).listen(0, "localhost", () => {
    const url = `http://localhost:${server.address().port}/`;
    const run = spawn(browser, [...args, "--dump-dom", url], { stdio: ["ignore", "pipe", "inherit"] });
    // Then the page is printed as it is.
    setTimeout(() => picture?.end(), seconds * 1000).unref();
    setTimeout(() => run.kill(), seconds * 2000).unref();
    let page = "";
    run.stdout.on("data", (text) => page += text);
    run.on("close", () => {
        const text = page.match(/<pre>([^]*)<\/pre>/)?.[1] ?? "";
        console.log(text.trimEnd());
        exit(text.trimEnd().endsWith(last) ? 0 : 1);
    });
});
