// The CSAF 2.0 schema, and the mandatory and optional tests of the specification's section 6: validate.js FILE... prints a
// JSON object of each file's errors and warnings.
import { readFileSync } from "node:fs";
import validate from "@secvisogram/csaf-validator-lib/validate.js";
import * as schema from "@secvisogram/csaf-validator-lib/schemaTests.js";
import * as mandatory from "@secvisogram/csaf-validator-lib/mandatoryTests.js";
import * as optional from "@secvisogram/csaf-validator-lib/optionalTests.js";

const tests = [schema, mandatory, optional].flatMap(module => Object.values(module));
const all = {};
for (const file of process.argv.slice(2)) {
    const { tests: results } = await validate(tests, JSON.parse(readFileSync(file, "utf8")));
    const told = kind => results.flatMap(({ name, [kind]: list = [] }) =>
        list.map(({ instancePath, message }) => ({ test: name, path: instancePath, message })));
    all[file] = { tests: results.length, errors: told("errors"), warnings: told("warnings") };
}
process.stdout.write(JSON.stringify(all));
