# The report: a rule for each module of report/pages, from its spec.
def shown(path, spec, caption, **labels):
    """A file that the report lists."""
    return report(
        path,
        caption=f"../workflow/report/{caption}.rst",
        category=spec.category,
        subcategory=spec.subcategory,
        labels={**spec.labels, **labels},
    )


def page_outputs(page, spec):
    """The page, and its tables by name."""
    made = {"page": shown(pages.page_path(page), spec, page)} if spec.path else {}
    caption = f"{page}_table" if spec.table_caption else page
    for name in spec.tables:
        path = pages.table_path(page, name)
        listed = name in spec.shown_tables
        made[name] = shown(path, spec, caption, what=spec.shown_tables[name]) if listed else path
    return made


for page, spec in pages.pages().items():

    rule:
        name:
            f"report_{page}"
        input:
            **{name: of(pages.input_function(spec, name)) for name in spec.inputs},
        output:
            **page_outputs(page, spec),
        log:
            paths.log(pages.job_name(page)),
        params:
            **{name: of(pages.function(source)) for name, source in spec.params.items()},
            version=pages.version(spec),
        localrule: True
        conda:
            "../envs/base.yaml"
        threads: 1
        script:
            "../workflow/scripts/report.py"
