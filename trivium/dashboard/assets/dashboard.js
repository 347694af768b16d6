"use strict";

(function () {
    const h = React.createElement;
    let forget = 0;

    // The components that trivium/dashboard/elements.py declares; those of the plant are in plant.js.
    window.trivium_dashboard = {
        Select(props) {
            const id = typeof props.id === "string" ? props.id : JSON.stringify(props.id);
            const options = (props.options || []).map((one) => h("option", { key: one.value, value: one.value }, one.label));
            const choose = (event) => props.setProps({ value: event.target.value });
            return h("select", { id, value: props.value == null ? "" : props.value, onChange: choose }, options);
        },
        Choices(props) {
            const { id, noun, options, value, setProps } = props;
            const [text, write] = React.useState("");
            const known = new Set((options || []).map((one) => one.value));
            const change = (event) => {
                const found = event.target.value.trim();
                if (known.has(found)) {
                    if (!value.includes(found)) setProps({ value: [...value, found] });
                    write("");
                } else write(event.target.value);
            };
            const drop = (name) => setProps({ value: value.filter((one) => one !== name) });
            const chips = (value || []).map((name) =>
                h("li", { key: name }, h("button", { type: "button", className: "chip", "aria-label": `Remove ${name}`, onClick: () => drop(name) }, name, h("span", { "aria-hidden": "true" }, " ×"))),
            );
            const rest = (options || []).filter((one) => !(value || []).includes(one.value));
            return h("div", { className: "choices" },
                chips.length ? h("ul", { "aria-label": `Chosen ${noun}s` }, chips) : null,
                h("input", { id, type: "text", list: `${id}-list`, value: text, autoComplete: "off", placeholder: `Add a ${noun}`, onChange: change }),
                h("datalist", { id: `${id}-list` }, rest.map((one) => h("option", { key: one.value, value: one.value }, one.label))),
            );
        },
        Between(props) {
            const { label, low, high, setProps } = props;
            const [ends, move] = React.useState(props.value);
            const later = React.useRef(0);
            React.useEffect(() => move(props.value), [JSON.stringify(props.value)]);
            const at = [ends[0] == null ? low : ends[0], ends[1] == null ? high : ends[1]];
            const slide = (end) => (event) => {
                const number = Number(event.target.value);
                const moved = [...ends];
                if (end === 0) moved[0] = number <= low ? null : Math.min(number, at[1]);
                else moved[1] = number >= high ? null : Math.max(number, at[0]);
                move(moved);
                clearTimeout(later.current);
                later.current = setTimeout(() => setProps({ value: moved }), 150);
            };
            const text = (number) => String(Number(number.toPrecision(4)));
            const slider = (end, word) =>
                h("input", {
                    type: "range", min: low, max: high, step: (high - low) / 500 || 1, value: at[end], onChange: slide(end),
                    "aria-label": `${label}, ${word}`, "aria-valuetext": text(at[end]),
                });
            const share = (number) => `${(100 * (number - low)) / (high - low || 1)}%`;
            const style = { "--from": share(at[0]), "--to": share(at[1]) };
            return h("div", { id: typeof props.id === "string" ? props.id : JSON.stringify(props.id), className: "between" },
                h("span", { className: "name" }, label),
                h("span", { className: "ends" }, `${text(at[0])} to ${text(at[1])}`),
                h("div", { className: "track", style }, slider(0, "at least"), slider(1, "at most")),
            );
        },
    };

    // The theme: that of the system until the reader chooses one.
    const root = document.documentElement;
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const kept = () => {
        try {
            return localStorage.getItem("trivium-theme");
        } catch {
            return null;
        }
    };
    const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
    const name = () => {
        const button = document.getElementById("theme");
        if (button) {
            button.textContent = isDark() ? "Light" : "Dark";
            button.setAttribute("aria-label", isDark() ? "Change to light colours" : "Change to dark colours");
        }
    };
    if (kept()) root.dataset.theme = kept();
    dark.addEventListener("change", name);

    // A server that is away, and one that wants a token again, are told.
    const ask = window.fetch.bind(window);
    let away = false;
    const tell = (children, kind) => dash_clientside.set_props("said", { children, className: `said ${kind}` });
    window.fetch = async (...request) => {
        try {
            const response = await ask(...request);
            if (response.status === 401) location.assign("/dashboard/login");
            if (away) tell("The server answers again.", "done");
            away = false;
            return response;
        } catch (error) {
            if (!away && error.name !== "AbortError") {
                away = true;
                tell("The server does not answer; what is shown may be old.", "refused");
            }
            throw error;
        }
    };

    // Nobody looks: nothing is asked.
    document.addEventListener("visibilitychange", () => {
        if (document.getElementById("main")) dash_clientside.set_props("tick", { disabled: document.hidden });
    });

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        trivium: {
            theme(clicks) {
                if (clicks) {
                    root.dataset.theme = isDark() ? "light" : "dark";
                    try {
                        localStorage.setItem("trivium-theme", root.dataset.theme);
                    } catch {
                        // a browser that keeps nothing
                    }
                }
                setTimeout(name, 0);
                return window.dash_clientside.no_update;
            },
            arrive(path, before) {
                const page = (path || "").replace(/\/+$/, "").split("/").pop();
                document.querySelectorAll("nav a").forEach((link) => {
                    const here = link.getAttribute("href").replace(/\/+$/, "") === (path || "").replace(/\/+$/, "");
                    if (here) link.setAttribute("aria-current", "page");
                    else link.removeAttribute("aria-current");
                });
                const titles = { sessions: "Sessions", indicators: "Indicators", jobs: "Jobs", studies: "Studies", system: "System" };
                document.title = `${titles[page] || "Plant"} · Trivium`;
                if (before && before !== path) {
                    const main = document.getElementById("main");
                    if (main) main.focus({ preventScroll: true });
                    window.scrollTo(0, 0);
                }
                return path;
            },
            // What was said stays long enough to be read, a refusal longer.
            said(text) {
                clearTimeout(forget);
                if (text && !away) {
                    const refused = document.getElementById("said").classList.contains("refused");
                    forget = setTimeout(() => dash_clientside.set_props("said", { children: "" }), refused ? 20000 : 8000);
                }
                return window.dash_clientside.no_update;
            },
        },
    });
})();
