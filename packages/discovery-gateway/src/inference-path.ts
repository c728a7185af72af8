/** Questions that neither change a server nor show requests of others. */
const read: ReadonlySet<string> = new Set(["/", "/v1/models", "/api/tags", "/api/ps", "/api/version"]);

/** Paths that take a prompt, or describe a model. */
const inferred: ReadonlySet<string> = new Set([
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/responses",
  "/v1/messages",
  "/v1/messages/count_tokens",
  "/v1/embeddings",
  "/v1/rerank",
  "/v1/reranking",
  "/v1/score",
  "/v1/moderations",
  "/v1/audio/speech",
  "/v1/audio/transcriptions",
  "/v1/audio/translations",
  "/v1/images/generations",
  "/v1/images/edits",
  "/v1/images/variations",
  "/api/chat",
  "/api/generate",
  "/api/embed",
  "/api/embeddings",
  "/api/show",
  "/chat",
]);

const modelPrefix = "/v1/models/";
const openaiChat = "/v1/chat/completions";

/**
 * Methods by which a path is asked for inference, or null for any other path: an unlisted path is not open.
 */
export function inferenceMethods(path: string, chatPath: string | null): readonly string[] | null {
  if (path === chatPath) return posting;
  const own = withoutPrefix(path, chatPath);
  if (read.has(own) || isOneModel(own)) return reading;
  return inferred.has(own) ? posting : null;
}

const reading = ["GET", "HEAD"];
const posting = ["POST"];

/** Some servers have OpenAI's API below a path of their own, which their chat endpoint shows. */
function withoutPrefix(path: string, chatPath: string | null): string {
  const prefix = chatPath?.endsWith(openaiChat) ? chatPath.slice(0, -openaiChat.length) : "";
  return prefix !== "" && path.startsWith(`${prefix}/v1/`) ? path.slice(prefix.length) : path;
}

/** A name of vLLM holds slashes, and no segment of it leads elsewhere. */
function isOneModel(path: string): boolean {
  if (!path.startsWith(modelPrefix)) return false;
  try {
    const segments = decodeURIComponent(path.slice(modelPrefix.length)).split(/[\\/]/);
    return segments.every((segment) => !["", ".", ".."].includes(segment));
  } catch {
    return false;
  }
}
