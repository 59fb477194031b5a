"""The partner network for other tools: VOSviewer JSON and GEXF (Gephi and others)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from copub.report.blocks import rows_of
from copub.report.facts import Facts, Row
from copub.report.partnersections import named_pairs
from copub.report.plaintext import printable

if TYPE_CHECKING:
    import networkx as nx

_COUNTS = ("works", "critical", "critical_listed")


def partner_graph(facts: Facts) -> nx.Graph:
    """Return institutions of both sides as nodes and pairs as edges.

    Nodes are named ``a:<id or name>`` and ``b:<id or name>`` and carry label, side, country, risk_level,
    works, critical, critical_listed; edges carry weight (works), critical, critical_listed.
    """
    known = {
        (row["side"], row["institution_id"] or row["institution_name"]): row
        for row in rows_of(facts.table("institutions"))
    }
    import networkx as nx  # takes a while, and only exports need it

    graph = nx.Graph()
    for pair in rows_of(named_pairs(facts)):
        ends = [_node(graph, known, pair, side) for side in "ab"]
        graph.add_edge(*ends, weight=pair["works"], critical=pair["critical"], critical_listed=pair["critical_listed"])
    return graph


def _node(graph: nx.Graph, known: dict[tuple[str, str], Row], pair: Row, side: str) -> str:
    name, ident = pair[f"institution_{side}"], pair[f"institution_{side}_id"]
    row = known.get((side, ident or name), {})
    node = f"{side}:{printable(ident or name)}"
    texts = {
        "label": name,
        "side": side,
        "country": row.get("country_code") or "",
        "risk_level": (row.get("risk_level") or pair["risk_level"] or "") if side == "b" else "",
    }
    counts = {key: row.get(key) or 0 for key in _COUNTS}
    graph.add_node(node, **{key: printable(text) for key, text in texts.items()}, **counts)
    return node


def vosviewer(facts: Facts) -> bytes:
    """Return the network as VOSviewer JSON: cluster 1 = side A, 2 = side B, 3 = side B on a headline list."""
    graph = partner_graph(facts)
    places = {node: place for place, node in enumerate(graph, start=1)}
    items = [_item(places[node], data) for node, data in graph.nodes(data=True)]
    links = [
        {"source_id": places[one], "target_id": places[other], "strength": data["weight"]}
        for one, other, data in graph.edges(data=True)
    ]
    title = ("SYNTHETIC: " if facts.synthetic else "") + facts.title
    content = {"network": {"items": items, "links": links}, "info": {"title": printable(title)}}
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _item(place: int, data: dict[str, Any]) -> dict[str, Any]:
    cluster = 1 if data["side"] == "a" else 3 if data["risk_level"] else 2
    return {
        "id": place,
        "label": data["label"],
        "cluster": cluster,
        "weights": {"Works": data["works"], "Critical and listed": data["critical_listed"]},
    }


def gexf(facts: Facts) -> bytes:
    """Return the network as GEXF 1.2; its date is the run's, so that the same run gives the same bytes."""
    from networkx import generate_gexf  # as above

    text = "\n".join(generate_gexf(partner_graph(facts))) + "\n"
    made = str(facts.manifest.get("created") or "")[:10]
    stamp = f'lastmodifieddate="{made}"' if re.fullmatch(r"\d{4}-\d\d-\d\d", made) else ""
    return re.sub(r'lastmodifieddate="[^"]*"', stamp, text, count=1).encode("utf-8")
