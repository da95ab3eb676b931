// app.js - keeps a page current: what the server writes replaces what is there. Without it, reload.
"use strict";

// Fetch this page again and put its <main> in place of ours; open steps and the place on the page stay.
async function refresh() {
	const response = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
	if (!response.ok) return;
	const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("main");
	const main = document.getElementById("main");
	const open = [...main.querySelectorAll("details")].map((step) => step.open);
	if (!fresh) return;
	fresh.querySelectorAll("details").forEach((step, i) => {
		if (i < open.length) step.open = open[i] || step.open;
	});
	main.replaceWith(fresh);
	follow(fresh);
}

// At most one at a time, and not more often than every `ms`.
function spaced(action, ms) {
	let waiting = null;
	let again = false;
	return function ask() {
		if (waiting) {
			again = true;
			return;
		}
		again = false;
		waiting = action().catch(() => {}).finally(() => setTimeout(() => {
			waiting = null;
			if (again) ask();
		}, ms));
	};
}

let events = null;
let lines = null;

// Lines that are new go to the end of the last step that has begun.
function followLog(steps) {
	if (lines) lines.close();
	lines = null;
	if (!steps.dataset.log) return;
	let size = Number(steps.dataset.size);
	const fetchLines = spaced(async () => {
		const list = [...steps.querySelectorAll("ol.log")].pop();
		if (!list) return;
		const first = steps.querySelectorAll("ol.log > li").length + 1;
		const response = await fetch(`${steps.dataset.lines}?offset=${size}&first=${first}`);
		if (!response.ok || !steps.isConnected) return;
		const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 40;
		list.insertAdjacentHTML("beforeend", await response.text());
		size = Number(response.headers.get("Lifeboat-Offset"));
		if (atEnd) scrollTo(0, document.body.scrollHeight);
	}, 100);
	lines = new EventSource(`${steps.dataset.log}?offset=${size}`);
	lines.addEventListener("log", fetchLines);
	lines.addEventListener("end", () => lines.close());
}

function follow(main) {
	const live = main.dataset.live;
	const steps = main.querySelector(".steps");
	if (steps) followLog(steps);
	if (live === "poll") {
		setTimeout(() => (document.hidden ? follow(main) : refresh().catch(() => follow(main))), 3000);
		return;
	}
	if (!live && events) events.close();
	if (!live || events) return;
	const changed = spaced(refresh, 300);
	events = new EventSource(live);
	events.addEventListener("run", changed);
	events.addEventListener("job", changed);
}

follow(document.getElementById("main"));
