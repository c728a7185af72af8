import type { Engine, ModelList, Sign } from "./engine.ts";

export const modelsPath = "/v1/models";

const openaiModels: ModelList = { path: modelsPath, at: "/data", name: "/id" };
const openaiList: Sign = { path: modelsPath, at: "/object", like: /^list$/ };

/** Every kind of server that is known, the more specific before what it imitates. */
export const engines: readonly Engine[] = [
  {
    server: "lmserv",
    ports: [8000],
    apis: ["lmserv"],
    chat: "/chat",
    proofs: [[{ path: "/", like: /^"?LMServ is running/ }]],
    hints: [],
    asks: ["/health"],
    version: null,
    models: [],
    auth: "required",
  },
  {
    server: "lmserv",
    ports: [8000],
    apis: ["lmserv", "openai"],
    chat: "/chat",
    proofs: [[{ path: "/", like: /^"?LMLauncher gateway is running/ }]],
    hints: [],
    asks: [modelsPath, "/health"],
    version: null,
    models: [openaiModels, { path: "/health", at: "/default_model", name: "" }],
    auth: { shownBy: modelsPath },
  },
  {
    server: "ollama",
    ports: [11434],
    apis: ["ollama", "openai"],
    chat: "/api/chat",
    proofs: [[{ path: "/", like: /^Ollama is running\s*$/ }]],
    hints: [],
    asks: [modelsPath, "/api/version"],
    version: { path: "/api/version", at: "/version", like: /^v?(\d.*)$/ },
    models: [openaiModels],
    auth: "none",
  },
  {
    server: null,
    ports: [],
    apis: ["openai"],
    chat: "/v1/chat/completions",
    proofs: [[openaiList, { path: modelsPath, at: "/data/0/object", like: /^model$/ }]],
    hints: [],
    asks: [],
    version: null,
    models: [openaiModels],
    auth: { shownBy: modelsPath },
  },
];
