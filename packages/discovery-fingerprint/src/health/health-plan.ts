import { property } from "../http/json.ts";
import type { Reply } from "../http/reply.ts";
import type { Evidence } from "../identify/server-kind.ts";
import { modelsPath } from "../identify/server-kinds.ts";

/** List that describes models. Each field is a pointer within an entry (RFC 6901). */
export interface ModelDetails {
  readonly path: string;
  /** Pointer to the list. */
  readonly at: string;
  readonly name: string;
  readonly size?: string;
  readonly digest?: string;
  /** Served context; that of the training does not count. */
  readonly contextLength?: string;
}

/** List of the models in memory, or one that includes them. */
export interface LoadedModels {
  readonly path: string;
  /** Pointer to the list, or to the only name. */
  readonly at: string;
  readonly name: string;
  /** Sign of an entry that is not in memory. */
  readonly unless?: { readonly at: string; readonly like: RegExp };
}

/** Places of a server kind's state and models: in GET requests that neither load nor generate. */
export interface HealthPlan {
  /**
   * Questions of its state, at most two; the first shows what the others leave open, and the need of a key.
   */
  readonly state: readonly [string, ...string[]];
  /** Question that shows the need of a key if the first is missing. */
  readonly otherwise: string | null;
  /** Sign that another request would have to wait. */
  readonly busy: Evidence | ((replies: readonly Reply[]) => boolean);
  readonly models: readonly ModelDetails[];
  /** Place of its only model's context. */
  readonly context: { readonly path: string; readonly at: string } | null;
  /** The first existing list counts; `all` if a server holds every listed model. */
  readonly loaded: readonly LoadedModels[] | "all";
}

/** Server of an unknown kind, which may list its models. */
const anyPlan: HealthPlan = {
  state: [modelsPath],
  otherwise: null,
  busy: [],
  models: [],
  context: null,
  loaded: [],
};

/** Gauges of Prometheus' text format that are above zero, whatever their labels. */
const vllmQueue = /^vllm:num_requests_waiting(?:\{[^}\n]*\})? (?!0(?:\.0*)?$)\d/m;
const sglangQueue = /^sglang:num_queue_reqs(?:\{[^}\n]*\})? (?!0(?:\.0*)?$)\d/m;

const ollamaLoaded: LoadedModels = { path: "/api/ps", at: "/models", name: "/name" };

/**
 * Kinds that show more than that.
 *
 * Left out on purpose: `/health` of SGLang and TGI, which generate a token, and of LiteLLM, which asks every
 * model.
 */
const known: Readonly<Record<string, HealthPlan>> = {
  lmserv: {
    ...anyPlan,
    state: ["/health"],
    busy: [[{ path: "/health", like: /\bworkers idle: 0\b/ }]],
  },
  ollama: {
    ...anyPlan,
    state: ["/api/ps"],
    models: [
      { path: "/api/tags", at: "/models", name: "/name", size: "/size", digest: "/digest" },
      { path: "/api/ps", at: "/models", name: "/name", contextLength: "/context_length" },
    ],
    loaded: [ollamaLoaded],
  },
  "llama.cpp": {
    // With --api-key it requires one here, unlike at /health and /v1/models. Without --slots it answers 501,
    // with or without a key.
    state: ["/slots"],
    otherwise: "/props",
    busy: areSlotsFull,
    models: [{ path: modelsPath, at: "/data", name: "/id", size: "/meta/size" }],
    context: { path: "/props", at: "/default_generation_settings/n_ctx" },
    loaded: [
      { path: modelsPath, at: "/data", name: "/id", unless: { at: "/status/value", like: /^(?!loaded$)/ } },
    ],
  },
  vllm: {
    ...anyPlan,
    state: [modelsPath, "/metrics"],
    busy: [[{ path: "/metrics", like: vllmQueue }]],
    models: [{ path: modelsPath, at: "/data", name: "/id", contextLength: "/max_model_len" }],
    loaded: "all",
  },
  sglang: {
    ...anyPlan,
    state: [modelsPath, "/metrics"],
    busy: [[{ path: "/metrics", like: sglangQueue }]],
    models: [{ path: modelsPath, at: "/data", name: "/id", contextLength: "/max_model_len" }],
    loaded: "all",
  },
  lmstudio: {
    ...anyPlan,
    models: [{ path: "/api/v0/models", at: "/data", name: "/id", contextLength: "/loaded_context_length" }],
    loaded: [
      { path: "/api/v0/models", at: "/data", name: "/id", unless: { at: "/state", like: /^(?!loaded$)/ } },
    ],
  },
  koboldcpp: {
    ...anyPlan,
    state: ["/api/extra/perf"],
    busy: [[{ path: "/api/extra/perf", at: "/idle", like: /^0$/ }]],
    context: { path: "/api/extra/true_max_context_length", at: "/value" },
    loaded: "all",
  },
  tgi: {
    ...anyPlan,
    state: ["/info"],
    context: { path: "/info", at: "/max_total_tokens" },
    loaded: "all",
  },
  "text-generation-webui": {
    ...anyPlan,
    state: ["/v1/internal/model/info"],
    loaded: [
      {
        path: "/v1/internal/model/info",
        at: "/model_name",
        name: "",
        unless: { at: "", like: /^None$/ },
      },
    ],
  },
  lemonade: {
    ...anyPlan,
    state: ["/api/v1/health"],
    loaded: [{ path: "/api/v1/health", at: "/all_models_loaded", name: "/model_name" }],
  },
  localai: { ...anyPlan, loaded: [{ path: "/system", at: "/loaded_models", name: "/id" }] },
  "docker-model-runner": {
    ...anyPlan,
    state: ["/engines/v1/models"],
    loaded: [{ path: "/engines/ps", at: "", name: "/model_name" }],
  },
};

/** Questions for a server kind; an unknown one may list its models. */
export function healthPlanOf(server: string | null): HealthPlan {
  return server !== null && Object.hasOwn(known, server) ? (known[server] ?? anyPlan) : anyPlan;
}

/** True if every slot of llama.cpp works on a request. */
function areSlotsFull(replies: readonly Reply[]): boolean {
  const slots = replies.find(({ path }) => path === "/slots")?.json;
  if (!Array.isArray(slots) || slots.length === 0) return false;
  return slots.every((slot) => property(slot, "is_processing") === true);
}
