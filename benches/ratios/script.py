"""What a user would write instead: reads the lead files, pages through the listing, prints what differs.

script.py FOLDER, with the token in CONVERTALK_TOKEN. With --c-loader, YAML is read by the C library of PyYAML.
"""

import os
import pathlib
import sys

import requests
import yaml


def read(path, loader):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader=loader)


def declared(folder, loader):
    leads = {}
    for path in sorted((folder / "leads").rglob("*.yaml")):
        leads.update(read(path, loader)["leads"])
    return leads


def listing(api):
    session = requests.Session()
    session.headers["x-bot-token"] = os.environ["CONVERTALK_TOKEN"]
    for kind in ["lead", "non-lead"]:
        page = 1
        while True:
            answer = session.get(
                api["endpoint"] + "/inbox/direct/chats",
                params={
                    "botId": api["bot_id"],
                    "customerId": api["customer_id"],
                    "type": kind,
                    "page": page,
                },
                timeout=30,
            )
            answer.raise_for_status()
            chats = answer.json()["data"]
            if not chats:
                break
            yield from chats
            page += 1


def main():
    folder = pathlib.Path(sys.argv[1])
    loader = yaml.CSafeLoader if "--c-loader" in sys.argv else yaml.SafeLoader
    config = read(folder / "convertalk.yaml", loader)
    leads = declared(folder, loader)
    live = {chat["uuid"]: chat for chat in listing(config["api"])}
    changes = 0
    for uuid, lead in leads.items():
        chat = live.get(uuid)
        if chat is None:
            print(f"{uuid}: not in the inbox")
            continue
        agent = lead.get("agent")
        agent = config["agents"].get(agent) if agent != "none" else None
        pairs = [
            ("status", chat.get("status"), lead.get("status")),
            ("agent", chat.get("_agentAssigned"), agent),
            ("tags", sorted(chat["profile"]["userDetails"]["tags"]), sorted(lead["tags"])),
        ]
        differ = [f"{field}: {before} -> {after}" for field, before, after in pairs if before != after]
        if differ:
            changes += 1
            print(f"{uuid} ({lead.get('label')}): {', '.join(differ)}")
    print(f"{changes} of {len(leads)} leads differ")


main()
