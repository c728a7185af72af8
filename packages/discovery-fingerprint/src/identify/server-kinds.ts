import { documentPath } from "../document/document.ts";
import type { AuthEvidence, ModelList, ServerKind, Sign, Signs } from "./server-kind.ts";

/** List of models of the OpenAI API, which most servers have. */
export const modelsPath = "/v1/models";

const openaiChat = "/v1/chat/completions";
const openaiModels: ModelList = { path: modelsPath, at: "/data", name: "/id" };
/** Sign of every server of the OpenAI API. */
export const openaiList: Sign = { path: modelsPath, at: "/object", like: /^list$/ };
/** Sign of a list that names its type after its entries, and was not read to the end. */
const openaiEntry: Signs = [
  { path: modelsPath, at: "/data/0/object", like: /^model$/ },
  { path: modelsPath, at: "/data/0/id", like: /./ },
];
const noneIfListed: AuthEvidence = { none: [[openaiList], openaiEntry] };

/** List of models, whose first entry names its owner. */
function ownedBy(like: RegExp): Signs {
  return [openaiList, { path: modelsPath, at: "/data/0/owned_by", like }];
}

function body(path: string, like: RegExp): Sign {
  return { path, like };
}

function json(path: string, at: string, like: RegExp): Sign {
  return { path, at, like };
}

const litellmVersion: Sign = json("/health/readiness", "/litellm_version", /^\d.*/);
const tgiInfo: Signs = [json("/info", "/model_id", /./), json("/info", "/max_best_of", /^\d+$/)];

const lmservs: readonly ServerKind[] = [
  {
    server: "lmserv",
    ports: [8000],
    apis: ["lmserv"],
    chat: "/chat",
    proofs: [[body("/", /^"?LMServ is running/)]],
    asks: [],
    version: null,
    models: [],
    auth: "required",
  },
  {
    server: "lmserv",
    ports: [8000],
    apis: ["lmserv", "openai"],
    chat: "/chat",
    proofs: [[body("/", /^"?LMLauncher gateway is running/)]],
    asks: [modelsPath, "/health"],
    version: null,
    models: [openaiModels, { path: "/health", at: "/default_model", name: "" }],
    auth: noneIfListed,
  },
  {
    // Gateway that many applications share: it has no greeting, and requires keys for everything.
    server: "lmserv",
    ports: [8000],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [
      [
        json(modelsPath, "/detail", /^Invalid application key$/),
        json("/openapi.json", "/info/title", /^LMLauncher /),
      ],
    ],
    asks: [],
    version: json("/openapi.json", "/info/version", /^\d.*/),
    models: [],
    auth: "required",
  },
];

const others: readonly ServerKind[] = [
  {
    // Answers Ollama's questions too, with a made-up version.
    server: "koboldcpp",
    ports: [5001],
    apis: ["koboldcpp", "openai", "ollama"],
    chat: openaiChat,
    proofs: [
      [{ path: documentPath, header: "server", like: /^ConcedoLlamaForKoboldServer/ }],
      ownedBy(/^koboldcpp$/),
      [json("/api/extra/version", "/result", /^KoboldCpp$/)],
    ],
    asks: [modelsPath, "/api/extra/version"],
    version: json("/api/extra/version", "/version", /^\d.*/),
    models: [openaiModels],
    auth: {
      required: [[json("/api/extra/version", "/protected", /^true$/)]],
      none: [[json("/api/extra/version", "/protected", /^false$/)]],
    },
  },
  {
    server: "ollama",
    ports: [11434],
    apis: ["ollama", "openai"],
    chat: "/api/chat",
    proofs: [[body("/", /^Ollama is running\s*$/)]],
    asks: [modelsPath, "/api/version"],
    version: json("/api/version", "/version", /^\d.*/),
    models: [openaiModels],
    auth: "none",
  },
  {
    server: "docker-model-runner",
    ports: [12434],
    apis: ["openai", "ollama"],
    chat: "/engines/v1/chat/completions",
    proofs: [[body("/", /^Docker Model Runner\b/)]],
    asks: ["/engines/v1/models"],
    version: null,
    models: [{ path: "/engines/v1/models", at: "/data", name: "/id" }],
    auth: "none",
  },
  {
    // Without a key, everything but the list of models is refused.
    server: "llama.cpp",
    ports: [8080],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [[{ path: documentPath, header: "server", like: /^llama\.cpp$/ }], ownedBy(/^llamacpp$/)],
    asks: [modelsPath, "/props"],
    version: json("/props", "/build_info", /^b\d.*/),
    models: [openaiModels, { path: modelsPath, at: "/models", name: "/name" }],
    auth: { none: [[json(documentPath, "/error/code", /^404$/)], [json("/props", "/total_slots", /^\d+$/)]] },
  },
  {
    server: "vllm",
    ports: [8000],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [
      ownedBy(/^vllm$/),
      [json(modelsPath, "/error", /^Unauthorized$/), body("/version", /^\{"version":"\d+\.\d[^"]*"\}$/)],
    ],
    asks: [modelsPath, "/version"],
    version: json("/version", "/version", /^\d.*/),
    models: [openaiModels],
    auth: noneIfListed,
  },
  {
    server: "sglang",
    ports: [30000],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [ownedBy(/^sglang$/)],
    asks: [modelsPath, "/get_server_info"],
    version: json("/get_server_info", "/version", /^\d.*/),
    models: [openaiModels],
    auth: noneIfListed,
  },
  {
    // Answers 200 to every question, and this to every unknown one.
    server: "lmstudio",
    ports: [1234],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [
      [json(documentPath, "/error", /^Unexpected endpoint or method\. \(GET \//)],
      [json("/lmstudio-greeting", "/lmstudio", /^true$/)],
    ],
    asks: [modelsPath, "/lmstudio-greeting"],
    version: null,
    models: [openaiModels],
    auth: noneIfListed,
  },
  {
    server: "lemonade",
    ports: [13305, 8000],
    apis: ["openai", "ollama"],
    chat: "/api/v1/chat/completions",
    proofs: [
      ownedBy(/^lemonade$/),
      [body("/", /<title>[^<]*Lemonade/), json("/api/v1/health", "/status", /^ok$/)],
    ],
    asks: [modelsPath, "/api/v1/health"],
    version: json("/api/v1/health", "/version", /^\d.*/),
    models: [openaiModels],
    auth: noneIfListed,
  },
  {
    server: "litellm",
    ports: [4000],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [
      [body("/", /<title>LiteLLM/), litellmVersion],
      [json(modelsPath, "/error/type", /^auth_error$/), litellmVersion],
      [...ownedBy(/^openai$/), litellmVersion],
      [litellmVersion],
    ],
    asks: [modelsPath, "/health/readiness"],
    version: litellmVersion,
    models: [openaiModels],
    auth: noneIfListed,
  },
  {
    server: "jan",
    ports: [1337],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [
      [body("/", /<title>API Docs<\/title>/), json("/openapi.json", "/info/title", /^Jan API/)],
      [json("/openapi.json", "/info/title", /^Jan API/)],
    ],
    asks: [modelsPath],
    version: null,
    models: [openaiModels],
    auth: noneIfListed,
  },
  {
    server: "text-generation-webui",
    ports: [5000],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [
      [
        json("/", "/detail", /^(?:Not Found|Method Not Allowed)$/),
        ...ownedBy(/^user$/),
        json("/v1/internal/model/info", "/model_name", /^/),
      ],
    ],
    asks: [],
    version: null,
    models: [openaiModels],
    auth: noneIfListed,
  },
  {
    // Has no greeting at all.
    server: "tgi",
    ports: [3000],
    apis: ["tgi", "openai"],
    chat: openaiChat,
    proofs: [[body("/", /^$/), ...tgiInfo], tgiInfo],
    asks: [],
    version: json("/info", "/version", /^\d.*/),
    models: [openaiModels, { path: "/info", at: "/model_id", name: "" }],
    // Its key guards inference only, which is never asked.
    auth: { none: [] },
  },
  {
    server: "localai",
    ports: [8080],
    apis: ["openai"],
    chat: openaiChat,
    proofs: [
      [openaiList, body("/", /<title>LocalAI/)],
      [openaiList, json("/version", "/version", /^v\d+\.\d+\.\d+ \([0-9a-f]{7,40}\)$/)],
    ],
    asks: [modelsPath, "/version"],
    version: json("/version", "/version", /^v?(\d\S*)/),
    models: [openaiModels],
    auth: noneIfListed,
  },
];

/** Server that lists models as the OpenAI API does, and has no sign of its own. */
const unknown: ServerKind = {
  server: null,
  ports: [],
  apis: ["openai"],
  chat: openaiChat,
  proofs: [openaiEntry],
  asks: [],
  version: null,
  models: [openaiModels],
  auth: noneIfListed,
};

/** Known kinds of server: specific ones before similar ones, the unknown last. */
export const serverKinds: readonly ServerKind[] = [...lmservs, ...others, unknown];
