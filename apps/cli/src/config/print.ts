import { formatOrigin, formatSettings } from "@lmserv/discovery-config";
import { visibleLines } from "@lmserv/discovery-core";
import { formatVersion, toJsonLine } from "@lmserv/discovery-gateway/document";
import { exitCode } from "../exit-code.ts";
import type { Io } from "../io/io.ts";
import type { PrintRequest } from "../options/request.ts";
import type { ConfigDocument } from "../output/document.ts";
import { createReporter } from "../output/reporter.ts";
import { configure } from "./configuration.ts";

/** Prints every setting with its origin, secrets left out; resolves with the exit code. */
export async function print(request: PrintRequest, io: Io): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const { file, settings } = await configure(request, io, reporter, { inspects: true });
  if (request.json) {
    const values = settings.map(({ path, value, isSecret, origin }) => ({
      path,
      value,
      secret: isSecret,
      origin: formatOrigin(origin),
    }));
    const document: ConfigDocument = { formatVersion, file, settings: values };
    io.stdout.write(toJsonLine(document));
  } else {
    io.stdout.write(visibleLines(formatSettings(settings)));
  }
  return exitCode.found;
}
