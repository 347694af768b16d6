"use strict";

// The browser's side of trivium/dashboard/trend.py: the window that is looked at, the readout, pictures, the address.
(function () {
    const plot = (id) => document.querySelector(`#${CSS.escape(id)} .js-plotly-plot`);
    const width = (id) => {
        const found = document.getElementById(id);
        return found ? Math.max(found.clientWidth - 80, 200) : null;
    };
    const linked = new Set();

    // The window of the address, once for each chart: what is looked at later is the user's own.
    const fromAddress = (id) => {
        if (linked.has(`${location.pathname} ${id}`)) return null;
        linked.add(`${location.pathname} ${id}`);
        const query = new URLSearchParams(location.search);
        const [from, to] = [parseFloat(query.get("from")), parseFloat(query.get("to"))];
        return Number.isFinite(from) && to > from ? [from, to] : null;
    };

    const pad = (number) => String(number).padStart(2, "0");
    const grouped = (number) => number.toFixed(3).replace(/\.?0+$/, "").replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, "\u202f");
    const clock = (at) => {
        const whole = Math.round(at);
        return `${Math.floor(whole / 86400)} d ${pad(Math.floor(whole / 3600) % 24)}:${pad(Math.floor(whole / 60) % 60)}`;
    };
    const date = (calendar, at) => {
        const options = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
        const shift = calendar.zone ? 0 : calendar.offset || 0;
        const when = new Date((calendar.epoch + at + shift) * 1000);
        return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: calendar.zone || "UTC" }).format(when);
    };

    Object.assign(window.dash_clientside.trivium, {
        look(relayout, clicks, view, id) {
            const holding = dash_clientside.callback_context.triggered.some((one) => one.prop_id.endsWith(".n_clicks"));
            let range = view ? view.range : fromAddress(id);
            if (view && holding) {
                const now = plot(id);
                range = range ? null : now && now._fullLayout && now._fullLayout.xaxis ? now._fullLayout.xaxis.range.map(Number) : null;
            } else if (view && relayout) {
                if (relayout["xaxis.range[0]"] !== undefined) range = [Number(relayout["xaxis.range[0]"]), Number(relayout["xaxis.range[1]"])];
                else if (relayout["xaxis.range"]) range = relayout["xaxis.range"].map(Number);
                else if (relayout["xaxis.autorange"]) range = null;
            }
            const next = { range, width: width(id) };
            const same = view && JSON.stringify(view) === JSON.stringify(next);
            const state = range ? "This window is held; double-click, or Follow, returns to the whole." : "Drag across the chart to zoom.";
            return [same ? dash_clientside.no_update : next, range ? "Follow" : "Hold", state];
        },
        // The window of a chart over two numbers, with the names of its axes; nothing while all is shown.
        zoom(relayout, before, id) {
            const found = plot(id);
            const layout = found && found._fullLayout;
            const same = dash_clientside.no_update;
            if (!relayout || !layout || !layout.xaxis) return same;
            if (relayout["xaxis.autorange"] || relayout["yaxis.autorange"]) return before.length ? [] : same;
            if (!Object.keys(relayout).some((key) => /^[xy]axis\.range/.test(key))) return same;
            return [...layout.xaxis.range, ...layout.yaxis.range].map(Number).concat(found.layout.meta || []);
        },
        readout(hover, calendar) {
            const point = hover && hover.points && hover.points[0];
            if (!point) return dash_clientside.no_update;
            const at = Number(point.x);
            return [calendar ? date(calendar, at) : null, clock(at), `${grouped(at)} s`].filter(Boolean).join(" · ");
        },
        picture(clicks, id) {
            const found = plot(id);
            if (clicks && found) {
                Plotly.downloadImage(found, { format: "png", scale: 2, filename: id, width: found.clientWidth, height: found.clientHeight });
            }
            return dash_clientside.no_update;
        },
        // The first argument is the window of a chart over time, or of one over two numbers, which is among the rest.
        address(view, ...rest) {
            const names = rest.pop();
            const query = new URLSearchParams();
            names.forEach((name, place) => {
                const value = rest[place];
                const text = Array.isArray(value) ? value.join(",") : value;
                if (text !== null && text !== undefined && text !== "") query.set(name, text);
            });
            if (view && view.range) {
                query.set("from", String(view.range[0]));
                query.set("to", String(view.range[1]));
            }
            history.replaceState(history.state, "", `${location.pathname}?${query}`.replace(/%2C/g, ","));
            return dash_clientside.no_update;
        },
    });
})();
