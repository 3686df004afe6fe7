// Runs a compiled program in this process, by Automation API, as an inline program: automation.js FOLDER STACK STEP...
// Each step is a line of JSON on stdout; an error is one with the engine's words.
"use strict";

const { createRequire } = require("node:module");

async function main(folder, name, steps) {
    const load = createRequire(`${folder}/`);
    const { LocalWorkspace } = load("@pulumi/pulumi/automation");
    const program = async () => {
        delete load.cache[load.resolve("./bin/index.js")]; // each run creates its resources
        return load("./bin/index.js");
    };
    const stack = await LocalWorkspace.selectStack({ stackName: name, projectName: "mixpanel-access", program }, { workDir: folder });
    for (const step of steps) {
        const done = await run(stack, step);
        console.log(JSON.stringify({ step, ...done }));
        if (done.error) {
            return;
        }
    }
}

async function run(stack, step) {
    const said = [];
    const options = { color: "never", onOutput: (text) => said.push(text) };
    try {
        const done = await stack[step](options);
        const changes = done.changeSummary ?? done.summary?.resourceChanges ?? {};
        return { changes, outputs: done.outputs ?? {} };
    } catch (error) {
        return { error: `${said.join("")}\n${error.message}` };
    }
}

const [folder, name, ...steps] = process.argv.slice(2);
main(folder, name, steps).catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
