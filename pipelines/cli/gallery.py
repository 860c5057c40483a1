"""``partreid gallery`` and ``partreid search``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options

app = typer.Typer(help="Galleries: embedded images that can be searched.", no_args_is_help=True)

Place = Annotated[Path, typer.Argument(help="Gallery folder.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another writer to finish.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        help="What images must fulfil, such as camera=c1,c2, colour!=white or 'time>=1200'; "
        "repeatable."
    ),
]


@app.command()
def add(
    gallery: Place,
    folders: Annotated[list[Path], typer.Argument(help="Data sets: folders of images, or tables.")],
    run: Annotated[
        Path | None, typer.Option(help="Run folder of the network. [the gallery's]")
    ] = None,
    boxes: options.FoundFile = None,
    dataset: options.Kind = None,
    branches: Annotated[
        str | None,
        typer.Option(
            help="What makes the embedding: global, global+parts, parts or views. [the gallery's, "
            "or global]"
        ),
    ] = None,
    mirror: options.Mirror = None,
    half: Annotated[
        bool, typer.Option("--half/--single", help="Precision in which embeddings are stored.")
    ] = True,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Keep small pictures of the images.")
    ] = False,
    keep_gone: Annotated[
        bool, typer.Option("--keep-gone", help="Keep images whose file is no longer there.")
    ] = False,
    wait: Wait = False,
    device: options.Device = "auto",
    engine: Annotated[
        str,
        typer.Option(
            help="What embeds: auto measures what is installed, where there are thousands of "
            "images, and takes the fastest that agrees with single precision; torch, "
            "torch-float32, openvino, onnx, compile; or ray, on the machines of a cluster."
        ),
    ] = "auto",
    ray_address: Annotated[
        str | None,
        typer.Option(
            help="Of the cluster's head, HOST:PORT. [$RAY_ADDRESS, or the one on this machine]"
        ),
    ] = None,
) -> None:
    """Make a gallery hold what folders do: only new, changed and removed files are work."""
    from pipelines.jobs.adding import add

    add(
        gallery,
        folders,
        run,
        dataset=dataset,
        boxes=boxes,
        branches=branches,
        mirror=mirror,
        half=half,
        thumbnails=thumbnails,
        keep_gone=keep_gone,
        wait=wait,
        device=device,
        engine=engine,
        ray_address=ray_address,
    )


@app.command()
def info(gallery: Place) -> None:
    """Say what a gallery holds and what made it."""
    from pipelines.jobs.keeping import info

    info(gallery)


@app.command()
def verify(gallery: Place) -> None:
    """Read every file of a gallery and compare it with what was written."""
    from pipelines.jobs.keeping import verify

    verify(gallery)


@app.command()
def compact(gallery: Place, wait: Wait = False) -> None:
    """Write a gallery anew without what was removed, in as few files as may be."""
    from pipelines.jobs.keeping import compact

    compact(gallery, wait)


@app.command()
def index(
    gallery: Place,
    recall: Annotated[
        float, typer.Option(min=0.01, max=1, help="Share of the nearest that is to be found.")
    ] = 0.95,
    top: Annotated[int, typer.Option(min=1, help="Of so many nearest.")] = 10,
    drop: Annotated[bool, typer.Option("--drop", help="Search exactly again.")] = False,
    wait: Wait = False,
) -> None:
    """Search a large gallery by an index, as far as that finds enough and is faster."""
    from pipelines.jobs.keeping import index

    index(gallery, None if drop else recall, top, wait)


@app.command()
def remove(
    gallery: Place,
    where: Where = None,
    folder: Annotated[Path | None, typer.Option(help="All images under this folder.")] = None,
    wait: Wait = False,
) -> None:
    """Remove images from a gallery; their files stay.

    The next 'gallery add' of their folder takes them in again, unless they have been moved out of
    it or left out of its images.csv.
    """
    from pipelines.jobs.keeping import remove

    remove(gallery, where or [], folder, wait)


@app.command()
def merge(
    gallery: Place,
    others: Annotated[list[Path], typer.Argument(help="Galleries to add, which stay as they are.")],
    wait: Wait = False,
) -> None:
    """Add to a gallery what others hold."""
    from pipelines.jobs.keeping import merge

    merge(gallery, others, wait)


@app.command()
def publish(
    gallery: Place,
    store: Annotated[
        str,
        typer.Option(
            help="Milvus server, and a collection of it: milvus://HOST:PORT/COLLECTION. [the "
            "collection is called as the folder]"
        ),
    ],
    index: Annotated[
        str | None,
        typer.Option(
            help="How the collection is searched: flat (all of it), ivf_flat or hnsw. [flat, and "
            "hnsw for a new one of a million images]"
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--as", help="What the gallery is called in the collection. [its path]"),
    ] = None,
) -> None:
    """Copy a gallery to a Milvus server: only what is new or gone since the last time.

    A password or key is taken from the environment variable PARTREID_STORE_TOKEN.
    """
    from pipelines.jobs.publishing import publish

    publish(gallery, store, index=index, name=name)


def search(
    queries: options.Data,
    gallery: Annotated[list[Path] | None, typer.Option(help="Gallery folder; repeatable.")] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="Search what 'gallery publish' copied, in place of --gallery: "
            "milvus://HOST:PORT/COLLECTION."
        ),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Run folder. [the one that the gallery remembers]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results"),
    top: Annotated[int, typer.Option(min=1, help="Images to find for each query.")] = 10,
    where: Where = None,
    group: Annotated[
        str | None,
        typer.Option(help="Show the nearest image alone of each track, camera or other column."),
    ] = None,
    together: Annotated[
        str | None,
        typer.Option(help="Queries that agree in this column, such as track, are one vehicle."),
    ] = None,
    pool: Annotated[
        str, typer.Option(help="How its images ask: nearest, average, or sets (with --group).")
    ] = "nearest",
    unknown: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Queries whose best match is less probable than this are called unknown. [0.5, "
            "where the run is calibrated]",
        ),
    ] = None,
    boxes: options.FoundFile = None,
    detector: Annotated[
        Path | None, typer.Option(help="Finds the parts of the images shown, without --boxes.")
    ] = None,
    evidence: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Images of each list whose parts are compared with the query's, for the page's "
            "first 200 queries; 0 for none. [5, where --boxes or --detector say where parts are]",
        ),
    ] = None,
    dataset: options.Kind = None,
    cross_camera: Annotated[
        bool, typer.Option(help="Leave out the query's identity from the query's camera.")
    ] = False,
    rerank: options.Rerank = False,
    expand: options.Expand = 0,
    candidates: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Nearest images that --rerank, --expand and --pool sets look at. [1000, or --top]",
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Look at every image, though a gallery has an index.")
    ] = False,
    device: options.Device = "auto",
    engine: Annotated[
        str,
        typer.Option(
            help="What embeds the queries: auto measures what is installed, where there are "
            "thousands, and takes the fastest that agrees with single precision; torch, "
            "torch-float32, openvino, onnx, compile."
        ),
    ] = "auto",
) -> None:
    """Find the nearest gallery images of every query image."""
    from annotations.errors import InputError
    from pipelines.jobs.retrieval import search
    from reid.reranking.refinement import Refinement
    from reid.retrieval.question import Question, require_pool
    from reid.retrieval.selection import Condition

    if candidates is not None and not (rerank or expand or pool == "sets"):
        raise InputError("--candidates: is what --rerank, --expand and --pool sets look at; give "
                         "one of these, too")  # fmt: skip
    question = Question(
        top=top,
        drop_self=True,
        drop_same_camera=cross_camera,
        conditions=tuple(map(Condition.parse, where or [])),
        group=group,
        together=together,
        pool=require_pool(pool),
        refine=Refinement(expand, rerank),
        candidates=max(1000, top) if candidates is None else candidates,
        exact=exact,
    )
    search(queries, gallery or [], question, out, store=store, run=run, dataset=dataset,
           boxes=boxes, detector=detector, evidence=evidence, unknown=unknown,
           device=device, engine=engine)  # fmt: skip


def serve(
    galleries: Annotated[list[Path], typer.Argument(help="Gallery folders.")],
    run: Annotated[
        Path | None, typer.Option(help="Run folder. [the one that the galleries remember]")
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option(help="Finds the parts of query images. [the one beside the run]"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for query images and marks.")] = Path(
        "runs/search"
    ),
    host: Annotated[
        str, typer.Option(help="Address to listen on; another machine's browser needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 8091,
    token: Annotated[
        str | None,
        typer.Option(help="That requests need. [made up where HOST is not this one]"),
    ] = None,
    unknown: Annotated[
        float, typer.Option(min=0, max=1, help="Below which probability a query is unknown.")
    ] = 0.5,
    seconds: Annotated[float, typer.Option(min=0.1, help="That a search may take.")] = 60,
    device: options.Device = "auto",
) -> None:
    """Open a page to search galleries with single images, with an interface for programs."""
    from pipelines.jobs.serve import serve_galleries

    serve_galleries(
        galleries,
        run=run,
        detector=detector,
        out=out,
        host=host,
        port=port,
        token=token,
        unknown=unknown,
        seconds=seconds,
        device=device,
    )


def register(app: typer.Typer) -> None:
    """Add the commands that are not in the group."""
    app.command("search")(search)
    app.command("serve")(serve)
