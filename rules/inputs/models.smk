# Inputs and params of rules/models.smk. Params hold what a result depends on, and no more.


def get_model_settings(wildcards):
    settings = config["models"][wildcards.model]
    return {
        key: value for key, value in settings.items() if value is not None and key not in ("path", "licence", "origin")
    }


def get_model_source(wildcards):
    settings = config["models"][wildcards.model]
    return get_archive(settings) if settings.get("package") else settings["path"]


def needs_preparation(name):
    """Models in a package archive or a GGUF file become a folder first; others are loaded from where they are."""
    settings = config["models"].get(name, {})
    return bool(settings.get("package")) or str(settings.get("path", "")).endswith(".gguf")


def get_model_path(name):
    """What to load: a prepared folder, a local folder, or a hub id."""
    if needs_preparation(name):
        return f"results/models/{name}"
    return config["models"].get(name, {}).get("path", name)


def get_model_record(name, revision):
    """What a model is, for the record: a package and its version, a folder, a commit on the hub, or `unpinned`."""
    model = config["models"].get(name)
    if model:
        found = f"{model['package']}=={model['version']}" if "package" in model else "local"
    elif Path(name).exists():
        found = "local"
    else:
        found = "unpinned" if revision == "main" else revision
    return {"model": Path(name).name if Path(name).is_absolute() else name, "revision": found}


def get_model_input(name):
    """Files that a model is loaded from: a prepared folder, or what lies in a local one; nothing for the hub."""
    if needs_preparation(name):
        return [f"results/models/{name}"]
    folder = Path(get_model_path(name))
    return sorted(str(path) for path in folder.glob("*") if path.suffix in (".json", ".safetensors"))
