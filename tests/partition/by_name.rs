//! Each kind of fault once, while people go on submitting.

use stories::until;

use crate::apart::apart;
use crate::clients::Clients;
use crate::country::{Country, begin};
use crate::faults::Fault;
use crate::places::Place;
use crate::roads::Way;
use crate::truths::check;

#[test]
fn whichever_road_breaks_and_however_nothing_is_lost_and_nothing_done_twice() {
    let name = "by_name::whichever_road_breaks_and_however_nothing_is_lost_and_nothing_done_twice";
    apart(name, each_fault());
}

async fn each_fault() {
    let (roads, scene) = begin();
    let mut country = Country::settle(roads, &scene).await;
    let mut clients = Clients::of(&country, scene.seed());
    clients.step().await;

    // A hub without its database, and the leader without it: the other one leads.
    let leader = country.leader().await;
    let follower = if leader == Place::One { Place::Other } else { Place::One };
    strike(&country, "follower and database are apart", &Fault::apart(follower, Place::Database));
    clients.step().await;
    country.roads.heal();
    strike(&country, "leader and database are apart", &Fault::apart(leader, Place::Database));
    until("the other hub leads", async || {
        clients.step().await;
        (country.leaders().await == [follower]).then_some(())
    })
    .await;
    country.roads.heal();

    let faults = [
        ("nothing goes from an agent to its hub", Fault::one_way(Place::West, Place::One)),
        ("nothing goes from a hub to its agent", Fault::one_way(Place::One, Place::West)),
        ("the hubs are apart", Fault::apart(Place::One, Place::Other)),
        ("the database is not heard", Fault::one_way(Place::Database, Place::Other)),
        ("a fifth is lost", Fault::on(Place::North, Place::Front, Way::Lossy)),
        ("everything is late", Fault::on(Place::One, Place::Database, Way::Late)),
        ("packets overtake each other", Fault::on(Place::South, Place::Front, Way::Jumbled)),
        ("the balancer's cable is pulled", Fault::pulled(Place::Front)),
    ];
    for (name, fault) in &faults {
        strike(&country, name, fault);
        clients.step().await;
        country.roads.heal();
    }
    let all = faults.iter().fold(Fault::default(), |all, (_, fault)| all.and(fault.clone()));
    strike(&country, "all at once", &all);
    clients.step().await;
    clients.step().await;
    check(&mut country, &mut clients).await;
}

#[expect(clippy::print_stdout, reason = "it is for the person who looks why the story failed")]
fn strike(country: &Country<'_>, name: &str, fault: &Fault) {
    println!("{name} ({fault})");
    fault.strike(&country.roads);
}
